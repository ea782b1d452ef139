#include <catch2/catch.hpp>

#include <algorithm>
#include <utility>

#include "crypto/x25519.hpp"
#include "support/hex.hpp"

using namespace p2pa;
using namespace p2pa::crypto;
using test::from_hex;
using test::to_hex;

namespace {

X25519Public point(std::string_view hex) {
  X25519Public out;
  std::ranges::copy(from_hex(hex), out.begin());
  return out;
}

}  // namespace

TEST_CASE("X25519 keys, and what two of them share, are those of RFC 7748") {
  // §6.1
  const X25519KeyPair alice(from_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"));
  const X25519KeyPair bob(from_hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
  CHECK(to_hex(alice.public_key()) == "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  CHECK(to_hex(bob.public_key()) == "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  for (const auto& [ours, theirs] : {std::pair(&alice, &bob), std::pair(&bob, &alice)}) {
    X25519Secret shared;
    REQUIRE(ours->agree(theirs->public_key(), shared));
    CHECK(to_hex(shared.view()) == "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
  }
  // §5.2
  const X25519KeyPair key(from_hex("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d"));
  X25519Secret shared;
  REQUIRE(key.agree(point("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493"), shared));
  CHECK(to_hex(shared.view()) == "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}

TEST_CASE("a point of small order shares nothing and is refused") {
  const X25519KeyPair key(Bytes(32, 7));
  for (const char* small : {
           "0000000000000000000000000000000000000000000000000000000000000000",
           "0100000000000000000000000000000000000000000000000000000000000000",
           "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
           "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
           "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
       }) {
    INFO(small);
    X25519Secret shared;
    CHECK(key.agree(point(small), shared).error().code == Code::kBadKey);
  }
}

TEST_CASE("a fresh X25519 key is the generator's next one") {
  Rng one(Bytes(32, 1)), same(Bytes(32, 1)), other(Bytes(32, 2));
  const X25519KeyPair first(one);
  CHECK(first.public_key() == X25519KeyPair(same).public_key());
  CHECK(first.public_key() != X25519KeyPair(one).public_key());
  CHECK(first.public_key() != X25519KeyPair(other).public_key());
}
