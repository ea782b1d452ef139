#include "transport/quic/handshake.hpp"

#include <utility>

#include "transport/quic/shared.hpp"

namespace p2pa::quic {

std::unique_ptr<Handshake> Handshake::client(Shared& shared, const PeerId& expected, bool resume) {
  std::unique_ptr<Handshake> out(new Handshake(shared, true));
  out->expected_ = expected;
  if (resume) {
    if (const StoredSession* stored = shared.sessions.find(expected, shared.now)) {
      // The same rules as in a handshake, before a byte goes to whoever holds the ticket's other end.
      if (out->accept_certificate(stored->certificate)) {
        out->resumes_ = *stored;
      } else {
        shared.sessions.forget(expected);
        out->refusal_.reset();
      }
    }
  }
  out->peer_ = {};
  out->tls_ = TlsSession::client(shared.tls, *out, out->resumes_ ? ByteView(out->resumes_->ticket) : ByteView{});
  if (!out->tls_ && out->resumes_) {  // a ticket that GnuTLS does not take: without it
    shared.sessions.forget(expected);
    out->resumes_.reset();
    out->tls_ = TlsSession::client(shared.tls, *out, {});
  }
  return out->tls_ ? std::move(out) : nullptr;
}

std::unique_ptr<Handshake> Handshake::server(Shared& shared, resource::Reservation reservation) {
  std::unique_ptr<Handshake> out(new Handshake(shared, false));
  out->reservation_ = std::move(reservation);
  out->tls_ = TlsSession::server(shared.tls, *out);
  return out->tls_ ? std::move(out) : nullptr;
}

bool Handshake::attach(ngtcp2_conn* engine) {
  engine_ = engine;
  ngtcp2_conn_set_tls_native_handle(engine, tls_->native());
  return resumes_ && tls_->early_data_allowed() && compat::load_early_parameters(engine, resumes_->parameters);
}

Result<PeerId> Handshake::identify() {
  if (peer_.empty() && !refusal_) {
    // Resumed: a client stored the certificate, a server finds it in the ticket.
    const ByteView der = resumes_ ? ByteView(resumes_->certificate) : tls_->peer_certificate();
    accept_certificate(Bytes(der.begin(), der.end()));
  }
  if (refusal_) return std::unexpected(*refusal_);
  return peer_;
}

bool Handshake::accept_certificate(ByteView der) {
  const auto verified = tls::verify_peer(der, shared_.unix_time(), expected_);
  if (!verified) {
    refusal_ = verified.error();
  } else {
    peer_ = verified->peer;
    certificate_.assign(der.begin(), der.end());
  }
  return !refusal_;
}

void Handshake::keep_ticket(Bytes ticket, Duration lifetime) {
  ticket_kept_ = true;
  if (!shared_.config.early_data || peer_.empty()) return;
  shared_.sessions.put(peer_, {std::move(ticket), compat::save_early_parameters(engine_), certificate_,
                               shared_.now + lifetime});
}

void Handshake::complete() {
  completed_ = true;
  reservation_.release();
  ticket_due_ = !client_ && shared_.config.early_data;
}

bool Handshake::send_ticket() {
  if (!std::exchange(ticket_due_, false)) return false;
  tls_->send_ticket();
  return true;
}

}  // namespace p2pa::quic
