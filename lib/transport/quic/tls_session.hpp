#pragma once
// The TLS 1.3 handshake of one QUIC connection, by GnuTLS. Included from .cpp files only.

#include <gnutls/gnutls.h>

#include <memory>

#include "p2pagents/error.hpp"
#include "p2pagents/time.hpp"
#include "transport/quic/compat.hpp"
#include "transport/quic/tls_context.hpp"

namespace p2pa::quic {

/// Only needed until the handshake is confirmed and tickets went: an idle connection has none.
class TlsSession final {
 public:
  /// What a handshake needs of its connection. The calls come from inside the engine.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual ngtcp2_conn* engine() = 0;
    /// False refuses the peer (TLS alert bad_certificate). Not called when a session is resumed.
    virtual bool accept_certificate(ByteView der) = 0;
    /// It was refused unread: it cannot be looked at safely.
    virtual void refuse_certificate(const Error& why) = 0;
    /// A client may resume with this, for so long as its server said.
    virtual void keep_ticket(Bytes ticket, Duration lifetime) = 0;
  };

  /// `ticket` empty: a full handshake. Null: no memory, or the ticket is of no use.
  static std::unique_ptr<TlsSession> client(TlsContext& context, Owner& owner, ByteView ticket);
  static std::unique_ptr<TlsSession> server(TlsContext& context, Owner& owner);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  gnutls_session_t native() const { return session_; }
  bool resumed() const { return gnutls_session_is_resumed(session_) != 0; }
  /// Of a client, before the handshake: does the ticket allow early data at all?
  bool early_data_allowed() const { return gnutls_record_get_max_early_data_size(session_) > 0; }
  /// After the handshake: was it taken?
  bool early_data_accepted() const {
    return (gnutls_session_get_flags(session_) & GNUTLS_SFLAGS_EARLY_DATA) != 0;
  }
  ByteView peer_certificate() const { return tls::peer_certificate(session_); }
  /// Of a server, after the handshake.
  bool send_ticket() { return gnutls_session_ticket_send(session_, 1, 0) == 0; }

 private:
  TlsSession(gnutls_session_t session, Owner& owner);
  static std::unique_ptr<TlsSession> make(TlsContext& context, Owner& owner, unsigned flags);
  static int verify_peer(gnutls_session_t session);
  static int on_message(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                        const gnutls_datum_t* message);
  void take_ticket(ByteView message);

  gnutls_session_t session_;
  Owner& owner_;
  ngtcp2_crypto_conn_ref ref_;  // the crypto helper wants it behind the session's pointer
};

}  // namespace p2pa::quic
