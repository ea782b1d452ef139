#pragma once
// AEAD_AES_256_GCM (RFC 5116 §5.2, NIST SP 800-38D) by GnuTLS, which uses what the processor has for it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "crypto/secret_bytes.hpp"
#include "p2pagents/bytes.hpp"

struct api_aead_cipher_hd_st;  // GnuTLS's

namespace p2pa::crypto {

inline constexpr std::size_t kAesGcmKeySize = 32;
inline constexpr std::size_t kAesGcmNonceSize = 12;
inline constexpr std::size_t kAesGcmTagSize = 16;

using AesGcmKey = SecretBytes<kAesGcmKeySize>;
using AesGcmNonce = std::array<std::uint8_t, kAesGcmNonceSize>;

/// One key, made ready. Where there is no memory for that it opens nothing, and what it seals nobody opens.
class Aes256Gcm final {
 public:
  explicit Aes256Gcm(const AesGcmKey& key);

  /// Writes the cipher text and the tag behind it. A nonce is good for one message under a key.
  /// REQUIRES out.size() == plain.size() + kAesGcmTagSize, and no overlap.
  void seal(const AesGcmNonce& nonce, ByteView associated, ByteView plain, MutableBytes out) const;
  /// False: not what the owner of the key sealed; `out` is zeros then.
  /// REQUIRES sealed.size() == out.size() + kAesGcmTagSize, and no overlap.
  [[nodiscard]] bool open(const AesGcmNonce& nonce, ByteView associated, ByteView sealed, MutableBytes out) const;

 private:
  struct Free {
    void operator()(api_aead_cipher_hd_st* handle) const;
  };

  std::unique_ptr<api_aead_cipher_hd_st, Free> handle_;
};

}  // namespace p2pa::crypto
