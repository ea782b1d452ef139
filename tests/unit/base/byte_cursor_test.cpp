#include <catch2/catch.hpp>

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "support/hex.hpp"

using namespace p2pa;
using test::from_hex;
using test::to_hex;

TEST_CASE("a writer puts integers in network order, and a reader takes them back") {
  Bytes out;
  ByteWriter writer(out);
  writer.u8(0x01);
  writer.big_endian(std::uint16_t{0x0203});
  writer.big_endian(std::uint32_t{0x04050607});
  writer.big_endian(std::uint64_t{0x08090a0b0c0d0e0f});
  writer.append("ab");
  CHECK(to_hex(out) == "0102030405060708090a0b0c0d0e0f6162");

  ByteReader reader(out);
  CHECK(*reader.u8() == 0x01);
  CHECK(*reader.big_endian<std::uint16_t>() == 0x0203);
  CHECK(*reader.big_endian<std::uint32_t>() == 0x04050607u);
  CHECK(*reader.big_endian<std::uint64_t>() == 0x08090a0b0c0d0e0fu);
  CHECK(as_text(*reader.take(2)) == "ab");
  CHECK(reader.at_end());
}

TEST_CASE("a read past the end is truncated and leaves the cursor where it was") {
  const Bytes bytes = from_hex("010203");
  ByteReader reader(bytes);
  REQUIRE(reader.skip(1));
  CHECK(reader.big_endian<std::uint32_t>().error().code == Code::kTruncated);
  CHECK(reader.take(3).error() == Error{Code::kTruncated, 1, ""});
  CHECK(reader.skip(3).error().code == Code::kTruncated);
  CHECK(reader.position() == 1);
  CHECK(to_hex(reader.rest()) == "0203");
  CHECK(*reader.big_endian<std::uint16_t>() == 0x0203);
  CHECK(reader.u8().error().code == Code::kTruncated);
}

TEST_CASE("a size that would wrap around is truncated") {
  const Bytes bytes = from_hex("010203");
  ByteReader reader(bytes);
  REQUIRE(reader.skip(2));
  CHECK_FALSE(reader.take(~std::size_t{0}));
  CHECK_FALSE(reader.skip(~std::size_t{0} - 1));
}

TEST_CASE("an empty source has nothing to give and is at its end") {
  ByteReader reader(ByteView{});
  CHECK(reader.at_end());
  CHECK(reader.take(0)->empty());
  CHECK_FALSE(reader.u8());
}
