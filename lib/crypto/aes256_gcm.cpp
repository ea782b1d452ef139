#include "crypto/aes256_gcm.hpp"

#include <gnutls/crypto.h>

#include <algorithm>

#include "base/assert.hpp"
#include "crypto/gnutls_datum.hpp"

namespace p2pa::crypto {

void Aes256Gcm::Free::operator()(api_aead_cipher_hd_st* handle) const { gnutls_aead_cipher_deinit(handle); }

Aes256Gcm::Aes256Gcm(const AesGcmKey& key) {
  const gnutls_datum_t bytes = datum(key.view());
  gnutls_aead_cipher_hd_t handle = nullptr;
  if (gnutls_aead_cipher_init(&handle, GNUTLS_CIPHER_AES_256_GCM, &bytes) == GNUTLS_E_SUCCESS) handle_.reset(handle);
}

void Aes256Gcm::seal(const AesGcmNonce& nonce, ByteView associated, ByteView plain, MutableBytes out) const {
  P2PA_ASSERT(out.size() == plain.size() + kAesGcmTagSize);
  std::size_t size = out.size();
  const bool sealed =
      handle_ && gnutls_aead_cipher_encrypt(handle_.get(), nonce.data(), nonce.size(), associated.data(),
                                            associated.size(), kAesGcmTagSize, plain.data(), plain.size(), out.data(),
                                            &size) == GNUTLS_E_SUCCESS;
  if (!sealed) std::ranges::fill(out, std::uint8_t{0});
}

bool Aes256Gcm::open(const AesGcmNonce& nonce, ByteView associated, ByteView sealed, MutableBytes out) const {
  P2PA_ASSERT(sealed.size() == out.size() + kAesGcmTagSize);
  std::size_t size = out.size();
  const bool opened =
      handle_ && gnutls_aead_cipher_decrypt(handle_.get(), nonce.data(), nonce.size(), associated.data(),
                                            associated.size(), kAesGcmTagSize, sealed.data(), sealed.size(), out.data(),
                                            &size) == GNUTLS_E_SUCCESS;
  if (!opened) std::ranges::fill(out, std::uint8_t{0});
  return opened;
}

}  // namespace p2pa::crypto
