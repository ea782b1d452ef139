#pragma once
// Takes every packet number once (RFC 6479).

#include <array>
#include <cstddef>
#include <cstdint>

namespace p2pa::udp {

class ReplayWindow final {
 public:
  static constexpr std::uint64_t kSize = 1024;

  /// Not seen, and not so old that nobody remembers.
  bool fresh(std::uint64_t number) const;
  /// REQUIRES fresh(number).
  void mark(std::uint64_t number);

 private:
  static constexpr std::uint64_t kBits = 64;
  static constexpr std::size_t kWords = kSize / kBits + 1;  // one more, so that a word can be cleared at once

  std::uint64_t next_ = 0;  // one above the largest that was seen
  std::array<std::uint64_t, kWords> seen_{};
};

}  // namespace p2pa::udp
