#pragma once
// Unsigned varints as multiformats has them (multiformats/unsigned-varint): seven bits a byte, the
// lowest first, minimal, at most nine bytes.

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/byte_reader.hpp"

namespace p2pa {

inline constexpr std::size_t kVarintBytesMax = 9;
inline constexpr std::uint64_t kVarintMax = (std::uint64_t{1} << 63) - 1;

/// The bytes of one value, without the heap.
struct Varint {
  std::array<std::uint8_t, kVarintBytesMax> data;
  std::uint8_t size;
  ByteView bytes() const { return {data.data(), size}; }
};

/// REQUIRES value <= kVarintMax.
Varint encode_varint(std::uint64_t value);
void append_varint(Bytes& out, std::uint64_t value);
constexpr std::size_t varint_size(std::uint64_t value) {
  std::size_t size = 1;
  while (value >>= 7) ++size;
  return size;
}

namespace detail {
Result<std::uint64_t> read_long_varint(ByteReader& reader);
}

/// kTruncated: the bytes end inside the value (the reader has not moved). kMalformed: not minimal, or
/// longer than nine bytes.
inline Result<std::uint64_t> read_varint(ByteReader& reader) {
  const ByteView rest = reader.rest();
  if (!rest.empty() && rest[0] < 0x80) [[likely]] {
    static_cast<void>(reader.skip(1));
    return rest[0];
  }
  return detail::read_long_varint(reader);
}

}  // namespace p2pa
