#include "base/varint.hpp"

#include "base/assert.hpp"

namespace p2pa {

Varint encode_varint(std::uint64_t value) {
  P2PA_ASSERT(value <= kVarintMax);
  Varint out{};
  for (; value >= 0x80; value >>= 7) {
    out.data[out.size++] = static_cast<std::uint8_t>(value | 0x80);
  }
  out.data[out.size++] = static_cast<std::uint8_t>(value);
  return out;
}

void append_varint(Bytes& out, std::uint64_t value) {
  P2PA_ASSERT(value <= kVarintMax);
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value));
}

Result<std::uint64_t> detail::read_long_varint(ByteReader& reader) {
  const ByteView rest = reader.rest();
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kVarintBytesMax; ++i) {
    if (i == rest.size()) return fail(Code::kTruncated, "varint: bytes end too early");
    value |= std::uint64_t{rest[i] & 0x7fu} << (7 * i);
    if (rest[i] >= 0x80) continue;
    if (rest[i] == 0 && i > 0) return fail(Code::kMalformed, "varint: not minimal");
    static_cast<void>(reader.skip(i + 1));
    return value;
  }
  return fail(Code::kMalformed, "varint: longer than nine bytes");
}

}  // namespace p2pa
