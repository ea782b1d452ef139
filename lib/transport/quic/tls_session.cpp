#include "transport/quic/tls_session.hpp"

#include <algorithm>
#include <new>

#include "base/byte_reader.hpp"
#include "crypto/gnutls_datum.hpp"
#include "transport/tls/certificate_key.hpp"

namespace p2pa::quic {
namespace {

// spec: quic/README.md, tls/tls.md §alpn
constexpr std::string_view kAlpn = "libp2p";

// RFC 9001 §4.6.1: the only value that QUIC allows.
constexpr std::size_t kEarlyDataUnlimited = 0xffff'ffff;

constexpr Duration kTicketLifetimeMax = hours(7 * 24);  // RFC 8446 §4.6.1

TlsSession& session_of(gnutls_session_t session) {
  const auto* ref = static_cast<ngtcp2_crypto_conn_ref*>(gnutls_session_get_ptr(session));
  return *static_cast<TlsSession*>(ref->user_data);
}

}  // namespace

TlsSession::TlsSession(gnutls_session_t session, Owner& owner) : session_(session), owner_(owner) {
  ref_.user_data = this;
  ref_.get_conn = [](ngtcp2_crypto_conn_ref* ref) {
    return static_cast<TlsSession*>(ref->user_data)->owner_.engine();
  };
  gnutls_session_set_ptr(session_, &ref_);
  gnutls_session_set_verify_function(session_, verify_peer);
  gnutls_handshake_set_hook_function(session_, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_POST, on_message);
}

TlsSession::~TlsSession() { gnutls_deinit(session_); }

std::unique_ptr<TlsSession> TlsSession::make(TlsContext& context, Owner& owner, unsigned flags) {
  gnutls_session_t session = nullptr;
  if (gnutls_init(&session, flags | GNUTLS_ENABLE_EARLY_DATA | GNUTLS_NO_END_OF_EARLY_DATA) != 0) {
    return nullptr;
  }
  std::unique_ptr<TlsSession> out(new TlsSession(session, owner));
  const gnutls_datum_t alpn = crypto::datum(as_bytes(kAlpn));
  const bool done =
      context.credentials().give_to(session) &&
      gnutls_alpn_set_protocols(session, &alpn, 1, GNUTLS_ALPN_MANDATORY) == 0;
  return done ? std::move(out) : nullptr;
}

std::unique_ptr<TlsSession> TlsSession::client(TlsContext& context, Owner& owner, ByteView ticket) {
  // One key share, where GnuTLS would make two: every libp2p implementation takes X25519, and another
  // group costs who lacks it one round trip more.
  auto out = make(context, owner, GNUTLS_CLIENT | GNUTLS_KEY_SHARE_TOP);
  if (!out || ngtcp2_crypto_gnutls_configure_client_session(out->session_) != 0) return nullptr;
  if (!ticket.empty() && gnutls_session_set_data(out->session_, ticket.data(), ticket.size()) != 0) {
    return nullptr;
  }
  return out;
}

std::unique_ptr<TlsSession> TlsSession::server(TlsContext& context, Owner& owner) {
  // Tickets are sent by hand: one, where GnuTLS would send two.
  auto out = make(context, owner, GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET);
  if (!out || ngtcp2_crypto_gnutls_configure_server_session(out->session_) != 0) return nullptr;
  gnutls_certificate_server_set_request(out->session_, GNUTLS_CERT_REQUIRE);
  const gnutls_datum_t key = crypto::datum(context.ticket_key());
  if (gnutls_session_ticket_enable_server(out->session_, &key) != 0) return nullptr;
  gnutls_record_set_max_early_data_size(out->session_, kEarlyDataUnlimited);
  gnutls_anti_replay_enable(out->session_, context.anti_replay());
  return out;
}

// Nothing may be thrown through GnuTLS, which would leave its own memory behind.

int TlsSession::verify_peer(gnutls_session_t session) try {
  const TlsSession& self = session_of(session);
  const ByteView certificate = self.peer_certificate();
  return !certificate.empty() && self.owner_.accept_certificate(certificate) ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
} catch (const std::bad_alloc&) {
  return GNUTLS_E_MEMORY_ERROR;
}

/// GnuTLS has read a message, or written one, and not yet gone on.
int TlsSession::on_message(gnutls_session_t session, unsigned type, unsigned, unsigned incoming,
                           const gnutls_datum_t* message) try {
  if (incoming == 0) return 0;
  TlsSession& self = session_of(session);
  if (type == GNUTLS_HANDSHAKE_NEW_SESSION_TICKET) self.take_ticket({message->data, message->size});
  if (type != GNUTLS_HANDSHAKE_CERTIFICATE_PKT) return 0;
  // verify_peer() is asked too late: CertificateVerify has been checked by then.
  const auto fine = tls::check_certificate_message({message->data, message->size});
  if (fine) return 0;
  self.owner_.refuse_certificate(fine.error());
  return GNUTLS_E_CERTIFICATE_ERROR;
} catch (const std::bad_alloc&) {
  return GNUTLS_E_MEMORY_ERROR;
}

void TlsSession::take_ticket(ByteView message) {
  // RFC 8446 §4.6.1: it begins with ticket_lifetime, in seconds. GnuTLS tells it to nobody.
  const auto lifetime = ByteReader(message).big_endian<std::uint32_t>();
  if (!lifetime) return;
  gnutls_datum_t data{};
  if (gnutls_session_get_data2(session_, &data) != 0) return;  // then the next dial is a full one
  try {
    owner_.keep_ticket(Bytes(data.data, data.data + data.size), std::min(seconds(*lifetime), kTicketLifetimeMax));
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): then it is a full one too
  }
  gnutls_memset(data.data, 0, data.size);
  gnutls_free(data.data);
}

}  // namespace p2pa::quic
