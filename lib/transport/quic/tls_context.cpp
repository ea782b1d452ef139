#include "transport/quic/tls_context.hpp"

#include <gnutls/gnutls.h>

#include "base/assert.hpp"

namespace p2pa::quic {
namespace {

/// GnuTLS's; three keys in one.
constexpr std::size_t kTicketKeySize = 64;

int remember(void* context, time_t expires, const gnutls_datum_t* key, const gnutls_datum_t*) {
  auto& seen = static_cast<TlsContext*>(context)->seen();
  return seen.add({key->data, key->size}, expires, TlsContext::kReplayWindowSeconds)
             ? 0
             : GNUTLS_E_DB_ENTRY_EXISTS;
}

}  // namespace

TlsContext::TlsContext(const tls::Certificate& own) : credentials_(own) {
  ticket_key_.reserve(kTicketKeySize);  // memory may end here, but not once GnuTLS gave us something
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
  gnutls_memset(ticket_key_.data(), 0, ticket_key_.size());
}

}  // namespace p2pa::quic
