#pragma once
// Who the peer is: certificates, tickets and the TLS session, until all that is settled. Included from
// .cpp files only.

#include <memory>
#include <optional>

#include "resource/manager.hpp"
#include "transport/quic/session_cache.hpp"
#include "transport/quic/tls_session.hpp"

namespace p2pa::quic {

struct Shared;

/// Lives from the first packet until the handshake is confirmed and tickets went; an idle connection
/// has none.
class Handshake final : private TlsSession::Owner {
 public:
  /// `expected` empty: anybody. `resume`: use a stored session of the expected peer, if it still proves
  /// the identity. Null: no memory.
  static std::unique_ptr<Handshake> client(Shared& shared, const PeerId& expected, bool resume);
  static std::unique_ptr<Handshake> server(Shared& shared, resource::Reservation reservation);

  TlsSession& tls() { return *tls_; }
  /// Before TLS is used. Of a client that resumes: also offers early data; says whether it may be sent.
  bool attach(ngtcp2_conn* engine);

  /// The peer, once it is proven: by its certificate in this handshake, or by the one behind the
  /// ticket, which TLS itself does not look at again. Errors: those of tls::verify_peer().
  Result<PeerId> identify();
  /// Why the certificate was refused, if it was.
  const std::optional<Error>& refusal() const { return refusal_; }

  /// The handshake is over: gives the reservation back.
  void complete();
  /// Of a server: sends the ticket for the client's next dial. False: none is due.
  bool send_ticket();
  /// TLS has nothing more to say or to see.
  bool finished() const { return completed_ && (client_ ? ticket_kept_ : !ticket_due_); }

 private:
  Handshake(Shared& shared, bool client) : shared_(shared), client_(client) {}

  ngtcp2_conn* engine() override { return engine_; }
  bool accept_certificate(ByteView der) override;
  void refuse_certificate(const Error& why) override { refusal_ = why; }
  void keep_ticket(Bytes ticket, Duration lifetime) override;

  Shared& shared_;
  const bool client_;
  ngtcp2_conn* engine_ = nullptr;
  PeerId expected_, peer_;
  Bytes certificate_;                     // the peer's, to be stored with a ticket
  std::optional<StoredSession> resumes_;  // what this client resumes
  std::optional<Error> refusal_;
  resource::Reservation reservation_;
  std::unique_ptr<TlsSession> tls_;
  bool completed_ = false;
  bool ticket_due_ = false;   // server
  bool ticket_kept_ = false;  // client
};

}  // namespace p2pa::quic
