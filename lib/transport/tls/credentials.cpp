#include "transport/tls/credentials.hpp"

#include <gnutls/gnutls.h>

#include "base/assert.hpp"
#include "crypto/gnutls_datum.hpp"

namespace p2pa::tls {
namespace {

// TLS 1.3 only, without the records that fool middle boxes; AES-128-GCM first: it is the fastest
// by far where the processor helps.
constexpr const char* kPriorities =
    "%DISABLE_TLS13_COMPAT_MODE:NORMAL:-VERS-ALL:+VERS-TLS1.3:"
    "-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:"
    "-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1";

}  // namespace

Credentials::Credentials(const Certificate& own) {
  P2PA_ASSERT(gnutls_certificate_allocate_credentials(&certificate_) == 0);
  const gnutls_datum_t certificate = crypto::datum(own.certificate), key = crypto::datum(own.private_key);
  P2PA_ASSERT(gnutls_certificate_set_x509_key_mem2(certificate_, &certificate, &key, GNUTLS_X509_FMT_DER,
                                                   nullptr, 0) >= 0);
  P2PA_ASSERT(gnutls_priority_init(&priorities_, kPriorities, nullptr) == 0);
}

Credentials::~Credentials() {
  gnutls_priority_deinit(priorities_);
  gnutls_certificate_free_credentials(certificate_);
}

bool Credentials::give_to(gnutls_session_int* session) const {
  return gnutls_priority_set(session, priorities_) == 0 &&
         gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, certificate_) == 0;
}

ByteView peer_certificate(gnutls_session_int* session) {
  unsigned count = 0;
  const gnutls_datum_t* chain = gnutls_certificate_get_peers(session, &count);
  // spec: tls/tls.md: more than one certificate aborts the connection
  if (chain == nullptr || count != 1) return {};
  return {chain[0].data, chain[0].size};
}

}  // namespace p2pa::tls
