#pragma once
// Bytes of a stream that arrived behind a gap.

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

#include "p2pagents/bytes.hpp"
#include "transport/udp/range_set.hpp"

namespace p2pa::udp {

/// Memory is that of the bytes' span, in blocks, however small the pieces are; their count has a bound.
class Reassembly final {
 public:
  static constexpr std::size_t kGapsMax = 1024;

  /// The offset of the first byte that is missing.
  std::uint64_t next() const { return next_; }
  bool empty() const { return blocks_.empty(); }
  /// Bytes below next() came without a detour.
  void skip_to(std::uint64_t next);
  /// Keeps what is new of it. False: there would be more than kGapsMax gaps, and nothing was kept.
  bool keep(std::uint64_t offset, ByteView bytes);
  /// Bytes at next(), as many as lie together; empty when that is the gap. Valid until the next call.
  ByteView front() const;
  void clear();

 private:
  static constexpr std::size_t kBlockSize = 4096;
  using Block = std::array<std::uint8_t, kBlockSize>;

  std::uint64_t next_ = 0;
  RangeSet present_;  // from next_ on
  std::map<std::uint64_t, std::unique_ptr<Block>> blocks_;  // by offset / kBlockSize
};

}  // namespace p2pa::udp
