#include <catch2/catch.hpp>

#include "base/multihash.hpp"
#include "support/hex.hpp"

using namespace p2pa;
using test::from_hex;
using test::to_hex;

TEST_CASE("a multihash gives its code and digest, and is written the same") {
  const Bytes bytes = from_hex("1114da39a3ee5e6b4b0d3255bfef95601890afd80709");
  const auto hash = Multihash::parse(bytes);
  REQUIRE(hash);
  CHECK(hash->code == 0x11);
  CHECK(to_hex(hash->digest) == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  Bytes out;
  hash->append_to(out);
  CHECK(out == bytes);
}

TEST_CASE("codes above 127 take more than one byte") {
  const auto hash = Multihash::parse(from_hex("d50102abcd"));
  REQUIRE(hash);
  CHECK(hash->code == 0xd5);
}

TEST_CASE("an identity multihash may be empty") {
  CHECK(Multihash::parse(from_hex("0000"))->digest.empty());
}

TEST_CASE("a multihash that does not end with its digest is malformed") {
  for (const char* hex : {"", "11", "1114", "110200", "1102000000", "118000", "8000", "81000100",
                          "11ffffffffffffffff7f", "11ffffffffffffffffff01"}) {
    INFO(hex);
    CHECK(Multihash::parse(from_hex(hex)).error().code == Code::kMalformed);
  }
}

TEST_CASE("a sha2-256 multihash is of 32 bytes and no other size") {
  CHECK(Multihash::parse(from_hex("1220" + std::string(64, '0'))));
  CHECK_FALSE(Multihash::parse(from_hex("121f" + std::string(62, '0'))));
  CHECK_FALSE(Multihash::parse(from_hex("1221" + std::string(66, '0'))));
}
