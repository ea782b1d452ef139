#include <catch2/catch.hpp>

#include "crypto/ed25519.hpp"
#include "support/hex.hpp"

using namespace p2pa;
using namespace p2pa::crypto;
using test::from_hex;
using test::to_hex;

namespace {

struct Vector {
  const char *seed, *public_key, *message, *signature;
};

// RFC 8032 §7.1
const Vector kVectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b4"
     "6bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d"
     "8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6"
     "594a7c15e9716ed28dc027beceea1ec40a"},
};

}  // namespace

TEST_CASE("Ed25519 keys and signatures are those of RFC 8032") {
  for (const Vector& v : kVectors) {
    Ed25519Secret secret;
    ed25519_from_seed(from_hex(v.seed), secret);
    CHECK(to_hex(secret) == std::string(v.seed) + v.public_key);
    const Bytes message = from_hex(v.message);
    CHECK(to_hex(ed25519_sign(secret, message)) == v.signature);
    CHECK(ed25519_verify(from_hex(v.public_key), message, from_hex(v.signature)));
  }
}

TEST_CASE("a signature does not verify over another message, by another key, or damaged anywhere") {
  const Vector& v = kVectors[2];
  const Bytes key = from_hex(v.public_key), message = from_hex(v.message);
  const Bytes signature = from_hex(v.signature);
  CHECK_FALSE(ed25519_verify(key, from_hex("af83"), signature));
  CHECK_FALSE(ed25519_verify(from_hex(kVectors[1].public_key), message, signature));
  for (std::size_t i = 0; i < signature.size(); ++i) {
    Bytes damaged = signature;
    damaged[i] ^= 0x10;
    CHECK_FALSE(ed25519_verify(key, message, damaged));
  }
}

TEST_CASE("keys and signatures of another size are refused, not read") {
  const Vector& v = kVectors[0];
  const Bytes key = from_hex(v.public_key), signature = from_hex(v.signature);
  CHECK_FALSE(ed25519_verify(ByteView(key).first(31), {}, signature));
  CHECK_FALSE(ed25519_verify(key, {}, ByteView(signature).first(63)));
  CHECK_FALSE(ed25519_verify({}, {}, {}));
}

TEST_CASE("a key of small order signs nothing") {
  // The identity point: with s = 0 and R the same point, the bare equation holds for every message.
  const Bytes identity = from_hex("01" + std::string(62, '0'));
  Bytes signature = identity;
  signature.resize(64);
  CHECK_FALSE(ed25519_verify(identity, as_bytes("anything"), signature));
}

TEST_CASE("a signature whose scalar is not reduced is refused") {
  const Vector& v = kVectors[0];
  // s + L, L the order of the group
  const Bytes order = from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  Bytes signature = from_hex(v.signature);
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    carry += signature[32 + i] + order[i];
    signature[32 + i] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
  REQUIRE(carry == 0);
  CHECK_FALSE(ed25519_verify(from_hex(v.public_key), {}, signature));
}
