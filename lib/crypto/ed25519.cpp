#include "crypto/ed25519.hpp"

#include <sodium.h>

#include "base/assert.hpp"

namespace p2pa::crypto {

static_assert(kEd25519SeedSize == crypto_sign_SEEDBYTES);
static_assert(kEd25519PublicSize == crypto_sign_PUBLICKEYBYTES);
static_assert(kEd25519SecretSize == crypto_sign_SECRETKEYBYTES);
static_assert(kEd25519SignatureSize == crypto_sign_BYTES);

void ed25519_from_seed(ByteView seed, Ed25519Secret& secret) {
  P2PA_ASSERT(seed.size() == kEd25519SeedSize);
  std::array<std::uint8_t, kEd25519PublicSize> public_key;  // the secret ends in it as well
  crypto_sign_seed_keypair(public_key.data(), secret.data(), seed.data());
}

Ed25519Signature ed25519_sign(const Ed25519Secret& secret, ByteView message) {
  Ed25519Signature signature;
  crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(), secret.data());
  return signature;
}

bool ed25519_verify(ByteView public_key, ByteView message, ByteView signature) {
  if (public_key.size() != kEd25519PublicSize || signature.size() != kEd25519SignatureSize) {
    return false;
  }
  return crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                     public_key.data()) == 0;
}

}  // namespace p2pa::crypto
