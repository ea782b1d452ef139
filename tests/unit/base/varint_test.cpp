#include <catch2/catch.hpp>

#include "base/varint.hpp"
#include "crypto/rng.hpp"
#include "support/hex.hpp"

using namespace p2pa;
using test::from_hex;

namespace {

Result<std::uint64_t> read(std::string_view hex) {
  const Bytes bytes = from_hex(hex);
  ByteReader reader(bytes);
  const auto value = read_varint(reader);
  if (!value) CHECK(reader.position() == 0);
  return value;
}

}  // namespace

TEST_CASE("every varint that is written is read back, with the size that was promised") {
  Rng rng(Bytes(32, 1));
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t value = rng.next_u64() >> (1 + rng.below(63));
    Bytes out;
    append_varint(out, value);
    CHECK(out.size() == varint_size(value));
    const Varint fixed = encode_varint(value);
    CHECK(Bytes(fixed.bytes().begin(), fixed.bytes().end()) == out);
    ByteReader reader(out);
    CHECK(*read_varint(reader) == value);
    CHECK(reader.at_end());
  }
}

TEST_CASE("the largest varint has nine bytes and sixty-three bits") {
  CHECK(varint_size(kVarintMax) == kVarintBytesMax);
  CHECK(*read("ffffffffffffffff7f") == kVarintMax);
  CHECK(read("80808080808080808001").error().code == Code::kMalformed);
  CHECK(read("ffffffffffffffffff7f").error().code == Code::kMalformed);
  CHECK(read("ffffffffffffffffff").error().code == Code::kMalformed);
}

TEST_CASE("a varint that is not minimal is malformed") {
  CHECK(read("8000").error().code == Code::kMalformed);
  CHECK(read("8100").error().code == Code::kMalformed);
  CHECK(read("ff808000").error().code == Code::kMalformed);
}

TEST_CASE("a varint cut short is truncated, so that more bytes may complete it") {
  CHECK(read("").error().code == Code::kTruncated);
  CHECK(read("80").error().code == Code::kTruncated);
  CHECK(read("ffffffffffffffff").error().code == Code::kTruncated);
}

TEST_CASE("what follows a varint is left alone") {
  const Bytes bytes = from_hex("ac02ff");
  ByteReader reader(bytes);
  CHECK(*read_varint(reader) == 300);
  CHECK(reader.position() == 2);
}
