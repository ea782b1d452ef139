#include "transport/quic/tls_context.hpp"

#include <gnutls/gnutls.h>

#include "base/assert.hpp"
#include "crypto/gnutls_datum.hpp"
#include "transport/quic/tls_session.hpp"

namespace p2pa::quic {
namespace {

// TLS 1.3 only, without the records that fool middle boxes; AES-128-GCM first: it is the fastest
// by far where the processor helps.
constexpr const char* kPriorities =
    "%DISABLE_TLS13_COMPAT_MODE:NORMAL:-VERS-ALL:+VERS-TLS1.3:"
    "-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:"
    "-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1";

/// GnuTLS's; three keys in one.
constexpr std::size_t kTicketKeySize = 64;

int remember(void* context, time_t expires, const gnutls_datum_t* key, const gnutls_datum_t*) {
  auto& seen = static_cast<TlsContext*>(context)->seen();
  return seen.add({key->data, key->size}, expires, TlsContext::kReplayWindowSeconds)
             ? 0
             : GNUTLS_E_DB_ENTRY_EXISTS;
}

}  // namespace

TlsContext::TlsContext(const tls::Certificate& own) {
  ticket_key_.reserve(kTicketKeySize);  // memory may end here, but not once GnuTLS gave us something
  P2PA_ASSERT(gnutls_certificate_allocate_credentials(&credentials_) == 0);
  const gnutls_datum_t certificate = crypto::datum(own.certificate), key = crypto::datum(own.private_key);
  P2PA_ASSERT(gnutls_certificate_set_x509_key_mem2(credentials_, &certificate, &key, GNUTLS_X509_FMT_DER,
                                                   nullptr, 0) >= 0);
  gnutls_certificate_set_verify_function(credentials_, TlsSession::verify_peer);
  P2PA_ASSERT(gnutls_priority_init(&priorities_, kPriorities, nullptr) == 0);

  gnutls_datum_t ticket_key;
  P2PA_ASSERT(gnutls_session_ticket_key_generate(&ticket_key) == 0);
  P2PA_ASSERT(ticket_key.size <= kTicketKeySize);
  ticket_key_.assign(ticket_key.data, ticket_key.data + ticket_key.size);
  gnutls_memset(ticket_key.data, 0, ticket_key.size);
  gnutls_free(ticket_key.data);

  P2PA_ASSERT(gnutls_anti_replay_init(&anti_replay_) == 0);
  gnutls_anti_replay_set_add_function(anti_replay_, remember);
  gnutls_anti_replay_set_window(anti_replay_, kReplayWindowSeconds * 1000);
  gnutls_anti_replay_set_ptr(anti_replay_, this);
}

TlsContext::~TlsContext() {
  gnutls_anti_replay_deinit(anti_replay_);
  gnutls_priority_deinit(priorities_);
  gnutls_certificate_free_credentials(credentials_);
  gnutls_memset(ticket_key_.data(), 0, ticket_key_.size());
}

}  // namespace p2pa::quic
