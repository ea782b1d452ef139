#include "crypto/aes256_gcm.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "support/hex.hpp"

using namespace p2pa;
using namespace p2pa::crypto;
using test::from_hex;
using test::to_hex;

namespace {

Aes256Gcm cipher_of(ByteView bytes) {
  AesGcmKey key;
  std::ranges::copy(bytes, key.span().begin());
  return Aes256Gcm(key);
}

AesGcmNonce nonce_of(ByteView bytes) {
  AesGcmNonce nonce{};
  std::ranges::copy(bytes, nonce.begin());
  return nonce;
}

}  // namespace

TEST_CASE("AES-256-GCM is that of the specification") {
  // McGrew and Viega, The Galois/Counter Mode of Operation, test cases 13, 14 and 16.
  const Aes256Gcm zeros = cipher_of(Bytes(32));
  Bytes sealed(kAesGcmTagSize);
  zeros.seal({}, {}, {}, sealed);
  CHECK(to_hex(sealed) == "530f8afbc74536b9a963b4f1c4cb738b");
  sealed.resize(32);
  zeros.seal({}, {}, Bytes(16), sealed);
  CHECK(to_hex(sealed) == "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");

  const Aes256Gcm cipher =
      cipher_of(from_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"));
  const AesGcmNonce nonce = nonce_of(from_hex("cafebabefacedbaddecaf888"));
  const Bytes associated = from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const Bytes plain = from_hex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
  sealed.resize(plain.size() + kAesGcmTagSize);
  cipher.seal(nonce, associated, plain, sealed);
  CHECK(to_hex(sealed) ==
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b");
  Bytes opened(plain.size());
  REQUIRE(cipher.open(nonce, associated, sealed, opened));
  CHECK(opened == plain);
}

TEST_CASE("AES-256-GCM opens nothing that was changed, and leaves nothing readable behind") {
  const Aes256Gcm cipher = cipher_of(Bytes(32, 1)), other = cipher_of(Bytes(32, 2));
  const AesGcmNonce nonce{1}, next{2};
  Bytes sealed(4 + kAesGcmTagSize);
  cipher.seal(nonce, as_bytes("head"), as_bytes("text"), sealed);
  const auto refuses = [](const Aes256Gcm& with, const AesGcmNonce& n, std::string_view head, const Bytes& bytes) {
    Bytes out(4, 0xaa);
    return !with.open(n, as_bytes(head), bytes, out) && out == Bytes(4, 0);
  };
  CHECK_FALSE(refuses(cipher, nonce, "head", sealed));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes changed = sealed;
    changed[i] ^= 0x80;
    CHECK(refuses(cipher, nonce, "head", changed));
  }
  CHECK(refuses(other, nonce, "head", sealed));
  CHECK(refuses(cipher, next, "head", sealed));
  CHECK(refuses(cipher, nonce, "tail", sealed));
}
