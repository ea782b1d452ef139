#include <catch2/catch.hpp>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <secp256k1.h>

#include "crypto/gnutls_datum.hpp"
#include "crypto/hash.hpp"
#include "crypto/signature.hpp"
#include "support/hex.hpp"

using namespace p2pa;
using namespace p2pa::crypto;
using test::from_hex;

namespace {

Code verdict(KeyType type, ByteView key, ByteView signature) {
  const auto result = verify_signature(type, key, as_bytes("m"), signature);
  return result ? Code::kOk : result.error().code;
}

/// A SubjectPublicKeyInfo of an RSA modulus with this many bits. Not a real key: only its size matters.
Bytes rsa_key_of(unsigned bits, ByteView exponent) {
  Bytes modulus((bits + 7) / 8, 0xff);
  modulus[0] = static_cast<std::uint8_t>(0xff >> (modulus.size() * 8 - bits));
  const gnutls_datum_t m = datum(modulus), e = datum(exponent);
  gnutls_pubkey_t key;
  gnutls_datum_t der;
  REQUIRE(gnutls_pubkey_init(&key) == 0);
  REQUIRE(gnutls_pubkey_import_rsa_raw(key, &m, &e) == 0);
  REQUIRE(gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &der) == 0);
  Bytes out(der.data, der.data + der.size);
  gnutls_free(der.data);
  gnutls_pubkey_deinit(key);
  return out;
}

const Bytes kUsualExponent = {1, 0, 1};

struct Secp256k1 {
  secp256k1_context* context = secp256k1_context_create(SECP256K1_CONTEXT_SIGN);
  Bytes secret = Bytes(32, 0x42);
  Bytes public_key = Bytes(33);
  Bytes signature;

  Secp256k1() {
    secp256k1_pubkey key;
    REQUIRE(secp256k1_ec_pubkey_create(context, &key, secret.data()));
    std::size_t size = public_key.size();
    secp256k1_ec_pubkey_serialize(context, public_key.data(), &size, &key, SECP256K1_EC_COMPRESSED);
    secp256k1_ecdsa_signature raw;
    const Sha256Digest digest = sha256(as_bytes("m"));
    REQUIRE(secp256k1_ecdsa_sign(context, &raw, digest.data(), secret.data(), nullptr, nullptr));
    signature = in_der(raw);
  }
  ~Secp256k1() { secp256k1_context_destroy(context); }

  Bytes in_der(const secp256k1_ecdsa_signature& raw) const {
    Bytes der(72);
    std::size_t size = der.size();
    REQUIRE(secp256k1_ecdsa_signature_serialize_der(context, der.data(), &size, &raw));
    der.resize(size);
    return der;
  }
  /// The other signature that every ECDSA signature implies: s replaced by n - s.
  Bytes with_high_s() const {
    secp256k1_ecdsa_signature raw;
    REQUIRE(secp256k1_ecdsa_signature_parse_der(context, &raw, signature.data(), signature.size()));
    std::uint8_t compact[64];
    secp256k1_ecdsa_signature_serialize_compact(context, compact, &raw);
    const Bytes order = from_hex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
    int borrow = 0;
    for (int i = 31; i >= 0; --i) {
      const int difference = order[static_cast<std::size_t>(i)] - compact[32 + i] - borrow;
      borrow = difference < 0;
      compact[32 + i] = static_cast<std::uint8_t>(difference);
    }
    REQUIRE(secp256k1_ecdsa_signature_parse_compact(context, &raw, compact));
    return in_der(raw);
  }
};

}  // namespace

TEST_CASE("RSA keys outside 2,048 to 8,192 bits are not used") {  // CVE-2023-39533
  const Bytes signature(256, 1);
  CHECK(verdict(KeyType::kRsa, rsa_key_of(1024, kUsualExponent), signature) == Code::kBadKey);
  CHECK(verdict(KeyType::kRsa, rsa_key_of(2047, kUsualExponent), signature) == Code::kBadKey);
  CHECK(verdict(KeyType::kRsa, rsa_key_of(2048, kUsualExponent), signature) == Code::kBadSignature);
  CHECK(verdict(KeyType::kRsa, rsa_key_of(8192, kUsualExponent), Bytes(1024, 1)) ==
        Code::kBadSignature);
  CHECK(verdict(KeyType::kRsa, rsa_key_of(8193, kUsualExponent), signature) == Code::kBadKey);
  CHECK(verdict(KeyType::kRsa, rsa_key_of(16'384, kUsualExponent), signature) == Code::kBadKey);
}

TEST_CASE("RSA exponents that cost time or make no sense are not used") {
  const Bytes signature(256, 1);
  CHECK(verdict(KeyType::kRsa, rsa_key_of(2048, Bytes{3}), signature) == Code::kBadSignature);
  CHECK(verdict(KeyType::kRsa, rsa_key_of(2048, Bytes{1}), signature) == Code::kBadKey);
  CHECK(verdict(KeyType::kRsa, rsa_key_of(2048, Bytes{1, 0, 0}), signature) == Code::kBadKey);
  CHECK(verdict(KeyType::kRsa, rsa_key_of(2048, Bytes{0x7f, 0xff, 0xff, 0xff}), signature) ==
        Code::kBadSignature);
  CHECK(verdict(KeyType::kRsa, rsa_key_of(2048, Bytes{0x80, 0, 0, 1}), signature) == Code::kBadKey);
  CHECK(verdict(KeyType::kRsa, rsa_key_of(2048, Bytes(256, 0x7f)), signature) == Code::kBadKey);
}

TEST_CASE("bytes that are no key of their type are a bad key") {
  const Bytes rsa = rsa_key_of(2048, kUsualExponent);
  for (const KeyType type :
       {KeyType::kRsa, KeyType::kEd25519, KeyType::kSecp256k1, KeyType::kEcdsa}) {
    CHECK(verdict(type, {}, Bytes(64)) == Code::kBadKey);
    CHECK(verdict(type, Bytes(31, 2), Bytes(64)) == Code::kBadKey);
    CHECK(verdict(type, Bytes(kPublicKeyDataMax + 1, 0x30), Bytes(64)) == Code::kBadKey);
  }
  CHECK(verdict(KeyType::kEcdsa, rsa, Bytes(64)) == Code::kBadKey);
  CHECK(verdict(KeyType::kRsa, ByteView(rsa).first(rsa.size() - 1), Bytes(64)) == Code::kBadKey);
  CHECK(verdict(static_cast<KeyType>(4), Bytes(32), Bytes(64)) == Code::kBadKey);
}

TEST_CASE("a signature of a size that no key makes is a bad signature") {
  const Bytes rsa = rsa_key_of(2048, kUsualExponent);
  CHECK(verdict(KeyType::kRsa, rsa, {}) == Code::kBadSignature);
  CHECK(verdict(KeyType::kRsa, rsa, Bytes(255, 1)) == Code::kBadSignature);
  CHECK(verdict(KeyType::kRsa, rsa, Bytes(kSignatureSizeMax + 1, 1)) == Code::kBadSignature);
}

TEST_CASE("a secp256k1 signature verifies in either of its two forms") {
  const Secp256k1 signer;
  const Bytes high = signer.with_high_s();
  CHECK(high != signer.signature);
  CHECK(verdict(KeyType::kSecp256k1, signer.public_key, signer.signature) == Code::kOk);
  CHECK(verdict(KeyType::kSecp256k1, signer.public_key, high) == Code::kOk);
}

TEST_CASE("a secp256k1 signature in anything but DER, or by another key, does not verify") {
  const Secp256k1 signer;
  Bytes other = signer.public_key;
  other[0] ^= 1;  // the other point with this x
  CHECK(verdict(KeyType::kSecp256k1, other, signer.signature) == Code::kBadSignature);
  CHECK(verdict(KeyType::kSecp256k1, signer.public_key, Bytes(64, 1)) == Code::kBadSignature);
  CHECK(verdict(KeyType::kSecp256k1, signer.public_key, {}) == Code::kBadSignature);
  Bytes longer = signer.signature;
  longer.push_back(0);
  CHECK(verdict(KeyType::kSecp256k1, signer.public_key, longer) == Code::kBadSignature);
}

TEST_CASE("a secp256k1 key is a compressed point of the curve and nothing else") {
  const Secp256k1 signer;
  Bytes bad = signer.public_key;
  bad[0] = 5;
  CHECK(verdict(KeyType::kSecp256k1, bad, signer.signature) == Code::kBadKey);
  bad = Bytes(33, 0xff);
  bad[0] = 2;  // x above the field
  CHECK(verdict(KeyType::kSecp256k1, bad, signer.signature) == Code::kBadKey);
  CHECK(verdict(KeyType::kSecp256k1, Bytes(65, 4), signer.signature) == Code::kBadKey);
}
