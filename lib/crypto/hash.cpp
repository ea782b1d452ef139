#include "crypto/hash.hpp"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "base/assert.hpp"
#include "crypto/gnutls_datum.hpp"
#include "crypto/secret_bytes.hpp"

namespace p2pa::crypto {

// None of these can fail with arguments in range: a failure is a bug here or there.

Sha256Digest sha256(ByteView message) {
  Sha256Digest digest;
  P2PA_ASSERT(gnutls_hash_fast(GNUTLS_DIG_SHA256, message.data(), message.size(), digest.data()) == 0);
  return digest;
}

std::array<std::uint8_t, 20> sha1(ByteView message) {
  std::array<std::uint8_t, 20> digest;
  P2PA_ASSERT(gnutls_hash_fast(GNUTLS_DIG_SHA1, message.data(), message.size(), digest.data()) == 0);
  return digest;
}

Sha256Digest hmac_sha256(ByteView key, ByteView message) {
  Sha256Digest digest;
  P2PA_ASSERT(gnutls_hmac_fast(GNUTLS_MAC_SHA256, key.data(), key.size(), message.data(),
                               message.size(), digest.data()) == 0);
  return digest;
}

void hkdf_sha256(ByteView secret, ByteView salt, std::string_view info, MutableBytes out) {
  P2PA_ASSERT(out.size() <= 255 * kSha256Size);
  const gnutls_datum_t secret_datum = datum(secret);
  const gnutls_datum_t salt_datum = datum(salt);
  SecretBytes<kSha256Size> extracted;
  P2PA_ASSERT(gnutls_hkdf_extract(GNUTLS_MAC_SHA256, &secret_datum, &salt_datum,
                                  extracted.span().data()) == 0);
  const gnutls_datum_t extracted_datum = datum(extracted.view());
  const gnutls_datum_t info_datum = datum(as_bytes(info));
  P2PA_ASSERT(gnutls_hkdf_expand(GNUTLS_MAC_SHA256, &extracted_datum, &info_datum, out.data(),
                                 out.size()) == 0);
}

}  // namespace p2pa::crypto
