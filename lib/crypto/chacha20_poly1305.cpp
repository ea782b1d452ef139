#include "crypto/chacha20_poly1305.hpp"

#include <sodium.h>

#include "base/assert.hpp"

namespace p2pa::crypto {

static_assert(kChachaKeySize == crypto_aead_chacha20poly1305_ietf_KEYBYTES);
static_assert(kChachaNonceSize == crypto_aead_chacha20poly1305_ietf_NPUBBYTES);
static_assert(kChachaTagSize == crypto_aead_chacha20poly1305_ietf_ABYTES);

void chacha20_poly1305_seal(const ChachaKey& key, const ChachaNonce& nonce, ByteView associated,
                            ByteView plain, MutableBytes out) {
  P2PA_ASSERT(out.size() == plain.size() + kChachaTagSize);
  crypto_aead_chacha20poly1305_ietf_encrypt(out.data(), nullptr, plain.data(), plain.size(),
                                            associated.data(), associated.size(), nullptr, nonce.data(),
                                            key.view().data());
}

bool chacha20_poly1305_open(const ChachaKey& key, const ChachaNonce& nonce, ByteView associated,
                            ByteView sealed, MutableBytes out) {
  P2PA_ASSERT(sealed.size() == out.size() + kChachaTagSize);
  // An empty message may have no place: libsodium verifies it all the same.
  return crypto_aead_chacha20poly1305_ietf_decrypt(out.data(), nullptr, nullptr, sealed.data(),
                                                   sealed.size(), associated.data(), associated.size(),
                                                   nonce.data(), key.view().data()) == 0;
}

}  // namespace p2pa::crypto
