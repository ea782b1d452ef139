// How a connection ends, and what is said about it on either side (RFC 9000 §10).
#include <utility>

#include "transport/quic/connection.hpp"
#include "transport/quic/handshake.hpp"
#include "transport/quic/path.hpp"
#include "transport/quic/shared.hpp"

namespace p2pa::quic {
namespace {

// RFC 9001 §4.8: TLS alerts as QUIC codes; of those, the ones that say "not you" (RFC 8446 §6).
constexpr std::uint64_t kCryptoErrors = 0x100, kCryptoErrorsEnd = 0x200;
constexpr std::uint64_t kBadCertificateAlert = 0x12a, kCertificateUnknownAlert = 0x12e,
                        kUnknownCaAlert = 0x130, kAccessDeniedAlert = 0x131,
                        kCertificateRequiredAlert = 0x174;

constexpr std::size_t kClosePacketMax = 1200;

bool refuses_certificate(std::uint64_t code) {
  return (code >= kBadCertificateAlert && code <= kCertificateUnknownAlert) || code == kUnknownCaAlert ||
         code == kAccessDeniedAlert || code == kCertificateRequiredAlert;
}

Error error_of_peer(const compat::CloseError& close) {
  const std::uint64_t code = close.error_code;
  if (close.type == compat::kCloseApplication) {
    return {Code::kConnectionClosed, code, "the peer closed the connection"};
  }
  if (code == NGTCP2_CONNECTION_REFUSED) return {Code::kRefused, code, "the peer takes no connection now"};
  if (refuses_certificate(code)) return {Code::kRefused, code, "the peer refused our certificate"};
  if (code >= kCryptoErrors && code < kCryptoErrorsEnd) {
    return {Code::kHandshake, code, "the peer ended the TLS handshake"};
  }
  return {Code::kConnectionClosed, code, "the peer's transport closed the connection"};
}

}  // namespace

void Connection::end_by_engine(int rv) {
  switch (rv) {
    case NGTCP2_ERR_DRAINING:
      return end_by_peer();
    case NGTCP2_ERR_IDLE_CLOSE:
      return finish_close({Code::kConnectionLost, 0, "nothing was heard for too long"});
    case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
      return finish_close({Code::kTimeout, 0, "the handshake took too long"});
    case NGTCP2_ERR_RECV_VERSION_NEGOTIATION:
      return finish_close({Code::kHandshake, 0, "the peer does not speak QUIC version 1"});
    case NGTCP2_ERR_DROP_CONN:
    case NGTCP2_ERR_RETRY:
      finish_close({Code::kHandshake, 0, "the first packet is of no use"});
      // A damaged or forged first packet must not stand in the way of the true one behind it.
      return shared_.farewells.back().cids.clear();
    default:
      break;
  }
  if (handshake_ && handshake_->refusal()) {
    return close_with({CloseFrame::Kind::kTlsAlert, GNUTLS_A_BAD_CERTIFICATE}, *handshake_->refusal());
  }
  if (rv == NGTCP2_ERR_CRYPTO) {
    const std::uint8_t alert = ngtcp2_conn_get_tls_alert(engine_);
    return close_with({CloseFrame::Kind::kTlsAlert, alert},
                      {Code::kHandshake, kCryptoErrors + alert, "the TLS handshake failed"});
  }
  close_with({CloseFrame::Kind::kEngine, static_cast<std::uint64_t>(-rv)},
             {Code::kProtocolViolation, compat::library_error(rv).error_code, "the peer broke the rules of QUIC"});
}

void Connection::end_by_peer() {
  if (stateless_reset_) return finish_close({Code::kConnectionLost, 0, "the peer has forgotten the connection"});
  finish_close(error_of_peer(compat::peer_close_error(engine_)));
}

void Connection::lose_socket(SocketId socket) {
  if (socket != socket_ || state_ == ConnectionState::kClosed) return;
  finish_close({Code::kClosed, 0, "the socket of the connection was closed"});
}

void Connection::close_with(const CloseFrame& frame, const Error& why) {
  compat::CloseError error;
  switch (frame.kind) {
    case CloseFrame::Kind::kApplication: error = compat::application_error(frame.code, frame.reason); break;
    case CloseFrame::Kind::kTlsAlert: error = compat::tls_alert(static_cast<std::uint8_t>(frame.code)); break;
    case CloseFrame::Kind::kEngine: error = compat::library_error(-static_cast<int>(frame.code)); break;
  }
  ngtcp2_path_storage path;
  ngtcp2_path_storage_zero(&path);
  ngtcp2_pkt_info info{};
  Farewell farewell;
  farewell.packet.resize(kClosePacketMax);
  const ngtcp2_ssize n = ngtcp2_conn_write_connection_close(engine_, &path.path, &info, farewell.packet.data(),
                                                            farewell.packet.size(), &error,
                                                            static_cast<ngtcp2_tstamp>(shared_.now.ns));
  farewell.packet.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  if (n > 0) farewell.to = destination(path.path, info.ecn);
  finish_close(why, std::move(farewell));
}

/// The engine goes at once: what lingers for three probe time-outs is a few bytes.
void Connection::finish_close(const Error& why, Farewell farewell) {
  farewell.connection = id_;
  for (const ngtcp2_cid& raw : compat::own_cids(engine_)) farewell.cids.push_back(Cid({raw.data, raw.datalen}));
  if (!outbound_) farewell.cids.push_back(client_dcid_);
  for (const Cid& cid : farewell.cids) shared_.cids.remove(cid, *this);
  for (const ngtcp2_cid_token& their : compat::peer_cids(engine_)) {
    if (their.token_present) shared_.reset_tokens.remove(Cid({their.token, sizeof their.token}), *this);
  }
  farewell.linger = {3 * static_cast<std::int64_t>(ngtcp2_conn_get_pto(engine_))};
  why_ = why;
  state_ = ConnectionState::kClosed;
  streams_.attach(nullptr);
  handshake_.reset();
  ngtcp2_conn_del(std::exchange(engine_, nullptr));
  shared_.ready.remove(*this);
  shared_.mux.events.push({this, nullptr, ConnectionEvent::Kind::kClosed, 0});
  shared_.farewells.push_back(std::move(farewell));
}

}  // namespace p2pa::quic
