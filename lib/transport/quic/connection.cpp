#include "transport/quic/connection.hpp"

#include <algorithm>

#include "transport/quic/handshake.hpp"
#include "transport/quic/path.hpp"
#include "transport/quic/shared.hpp"

namespace p2pa::quic {
namespace {

using Kind = ConnectionEvent::Kind;

constexpr std::size_t kReasonBytesMax = 128;
// A peer that never sends a ticket must not make us keep its handshake for ever.
constexpr Duration kTicketWait = seconds(3);
constexpr Duration kTimerGranularity = milliseconds(1);  // RFC 9002 §6.1.2
// A peer that wants silence to last less than that loses the connection; it does not make us busy.
constexpr Duration kKeepAliveMin = seconds(1);

}  // namespace

Connection::Connection(Shared& shared, ConnectionId id, bool outbound, SocketId socket, const IpEndpoint& local,
                       const IpEndpoint& remote)
    : MuxedConnection(shared.mux, id, outbound, quic_multiaddr(remote), quic_multiaddr(local)),
      shared_(shared),
      socket_(socket),
      local_(local),
      packet_size_(same_host(local, remote)),
      stream_engine_(shared, *this),
      datagrams_out_(shared.config.datagram_queue_bytes_max),
      datagrams_in_(shared.config.datagram_queue_bytes_max) {}

Connection::~Connection() {
  shared_.ready.remove(*this);
  datagrams_out_.clear(shared_.mux.chunks);
  datagrams_in_.clear(shared_.mux.chunks);
  if (engine_ != nullptr) finish_close({Code::kClosed, 0, ""});
}

// --- the application's side

Result<StreamId> Connection::open_stream(bool replay_safe) {
  if (engine_ == nullptr) return fail(Code::kInvalidState, "the connection is closed");
  if (!established() && !(outbound_ && early_data_possible() && replay_safe)) {
    return fail(Code::kInvalidState, "the connection is not established");
  }
  return streams_.open();
}

Result<void> Connection::send_datagram(ByteView payload) {
  if (engine_ == nullptr || !established()) return fail(Code::kInvalidState, "the connection is not established");
  const std::size_t bound = datagram_size_max();
  if (bound == 0) return fail(Code::kUnsupported, "the peer takes no datagrams");
  if (payload.size() > bound) return fail(Code::kMessageTooLarge, "the datagram is too large", bound);
  if (!datagrams_out_.push(shared_.mux.chunks, payload)) return fail(Code::kWouldBlock, "the datagram queue is full");
  shared_.ready.push(*this);
  return {};
}

std::size_t Connection::packet_bytes_max() const {
  return packet_size_.by_engine() ? ngtcp2_conn_get_path_max_tx_udp_payload_size(engine_) : PacketSize::kEthernet;
}

std::size_t Connection::datagram_size_max() const {
  if (engine_ == nullptr) return 0;
  const ngtcp2_transport_params* params = ngtcp2_conn_get_remote_transport_params(engine_);
  if (params == nullptr || params->max_datagram_frame_size == 0) return 0;
  // Short header with the longest connection id, packet number, tag; then type and length of the frame.
  constexpr std::size_t kPacketOverhead = 1 + Cid::kSizeMax + 4 + 16, kFrameOverhead = 3;
  const std::size_t packet = packet_bytes_max() - kPacketOverhead;
  const std::size_t frame = std::min<std::uint64_t>(packet, params->max_datagram_frame_size);
  return std::min(frame - std::min(frame, kFrameOverhead), mux::DatagramQueue::kMessageMax);
}

void Connection::close(std::uint64_t code, std::string_view reason) {
  if (engine_ == nullptr) return;
  close_with({CloseFrame::Kind::kApplication, code, as_bytes(reason.substr(0, kReasonBytesMax))},
             {Code::kClosed, code, "closed on this side"});
}

DialStage Connection::stage() const {
  if (established_at_ != Instant{}) return DialStage::kConnected;
  return packets_received_ > 0 ? DialStage::kSecuring : DialStage::kConnecting;
}

ConnectionStats Connection::stats(Instant) const {
  ConnectionStats out;
  out.bytes_sent = bytes_sent_;
  out.bytes_received = bytes_received_;
  out.packets_sent = packets_sent_;
  out.packets_received = packets_received_;
  out.packets_repeated = packets_repeated_;
  out.streams_opened = streams_.opened();
  out.streams_accepted = streams_.accepted();
  if (engine_ == nullptr) return out;
  const compat::ConnInfo info = compat::info_of(engine_);
  out.rtt = {static_cast<std::int64_t>(info.smoothed_rtt)};
  if (info.min_rtt != UINT64_MAX) out.rtt_min = {static_cast<std::int64_t>(info.min_rtt)};
  out.rtt_variance = {static_cast<std::int64_t>(info.rttvar)};
  out.congestion_window = info.cwnd;
  out.mtu = static_cast<std::uint32_t>(packet_size_.by_engine() ? packet_bytes_max() : packet_size_.limit(info.cwnd));
  return out;
}

void Connection::describe(ConnectionEvent& event) {
  if (event.kind != Kind::kDatagram) return;
  if (datagram_lent_) datagrams_in_.pop(shared_.mux.chunks);
  datagram_lent_ = true;
  event.datagram = datagrams_in_.front();
}

// --- the endpoint's side

void Connection::receive(const InboundDatagram& datagram, ByteView packet) {
  if (engine_ == nullptr) return;
  // A dialer sends from whatever address it has now; whoever was dialed answers from where it was asked.
  const bool any_address = outbound_ && datagram.socket == socket_;
  const EnginePath path({datagram.socket, any_address ? local_ : datagram.local}, datagram.remote);
  ngtcp2_pkt_info info{};
  info.ecn = static_cast<std::uint8_t>(datagram.ecn);
  ++packets_received_;
  bytes_received_ += packet.size();
  heard_at_ = shared_.now;
  const int rv = ngtcp2_conn_read_pkt(engine_, &path.get(), &info, packet.data(), packet.size(),
                                      static_cast<ngtcp2_tstamp>(shared_.now.ns));
  if (rv != 0) return end_by_engine(rv);
  streams_.retry_blocked(shared_.now);
  release_handshake_when_done();
  shared_.ready.push(*this);
}

Instant Connection::next_deadline() const {
  if (engine_ == nullptr) return kNever;
  const ngtcp2_tstamp expiry = ngtcp2_conn_get_expiry(engine_);
  Instant deadline = datagrams_stuck_at_;
  if (expiry < static_cast<ngtcp2_tstamp>(kNever.ns)) {
    deadline = std::min(deadline, Instant{static_cast<std::int64_t>(expiry)});
  }
  // The engine counts some of its deadlines as due only after the instant that it names.
  return deadline > shared_.now ? deadline : shared_.now + kTimerGranularity;
}

void Connection::on_deadline() {
  if (engine_ == nullptr) return;
  const int rv = ngtcp2_conn_handle_expiry(engine_, static_cast<ngtcp2_tstamp>(shared_.now.ns));
  if (rv != 0) return end_by_engine(rv);
  free_stuck_datagrams();
  streams_.tidy();
  release_handshake_when_done();
  shared_.ready.push(*this);
}

// --- what the engine reports

bool Connection::on_handshake_completed() {
  const auto peer = handshake_->identify();
  if (!peer) return false;
  identified(*peer);
  state_ = ConnectionState::kEstablished;
  established_at_ = shared_.now;
  if (outbound_ && early_ && !handshake_->tls().early_data_accepted()) {
    if (compat::reject_early_data(engine_) != 0) return false;
    streams_.restart();
  }
  handshake_->complete();
  keep_alive();
  shared_.mux.events.push({this, nullptr, Kind::kEstablished, 0});
  return true;
}

/// Only the dialer keeps the connection alive; a little later the other end would, should the dialer
/// not care to. So an idle connection of two nodes of ours costs one ping and one answer a period.
void Connection::keep_alive() {
  std::uint64_t idle = static_cast<std::uint64_t>(shared_.config.idle_timeout.ns);
  const ngtcp2_transport_params* theirs = ngtcp2_conn_get_remote_transport_params(engine_);
  if (theirs != nullptr && theirs->max_idle_timeout > 0) idle = std::min(idle, theirs->max_idle_timeout);
  // RFC 9000 §10.1: the shorter one counts for both ends. One ping may be lost.
  const Duration soon_enough{static_cast<std::int64_t>(idle / 5 * 2)};
  const Duration period = std::min(shared_.config.keep_alive, std::max(soon_enough, kKeepAliveMin));
  ngtcp2_conn_set_keep_alive_timeout(engine_, static_cast<ngtcp2_duration>((outbound_ ? period : period * 9 / 8).ns));
}

void Connection::probe() {
  if (!established()) return;
  probe_due_ = true;
  shared_.ready.push(*this);
}

/// The engine pings when a keep-alive is due, and not otherwise.
void Connection::force_ping() { ngtcp2_conn_set_keep_alive_timeout(engine_, 1); }

bool Connection::on_stream_opened(std::int64_t wire_id) {
  if (!ngtcp2_is_bidi_stream(wire_id)) return true;  // the peer has no credit for them
  if (state_ == ConnectionState::kHandshaking && peer_.empty()) {
    const auto peer = handshake_->identify();
    if (!peer) return false;
    identified(*peer);
    early_ = true;
  }
  ngtcp2_conn_set_stream_user_data(engine_, wire_id, &streams_.on_opened(wire_id));
  return true;
}

void Connection::on_datagram(ByteView payload) {
  if (state_ != ConnectionState::kEstablished) return;  // early ones may be replays
  streams_.gate().moved_datagram(Direction::kInbound, payload.size());
  if (!datagrams_in_.push(shared_.mux.chunks, payload)) return;
  shared_.mux.events.push({this, nullptr, Kind::kDatagram, 0});
}

void Connection::on_path_validated(const ngtcp2_path& path) {
  const IpEndpoint remote = remote_of(path);
  const Multiaddr address = quic_multiaddr(remote);
  if (address == remote_address_ || state_ != ConnectionState::kEstablished) return;
  packet_size_.path_changed(same_host(local_of(path).address, remote));
  remote_address_ = address;
  shared_.mux.events.push({this, nullptr, Kind::kPathChanged, 0});
}

/// A datagram that is lost with all that was sent after it is never missed: the engine probes for streams
/// only. So when datagrams found no room for a whole probe time-out, something that the engine does probe
/// for is sent: one more stream for the peer to open, taken back at the next occasion.
void Connection::free_stuck_datagrams() {
  if (shared_.now < datagrams_stuck_at_) return;
  datagrams_stuck_at_ = kNever;
  stream_engine_.lend_credit();
}

/// TLS has nothing to do any more; most of what a handshake holds is its session.
void Connection::release_handshake_when_done() {
  if (!handshake_ || state_ != ConnectionState::kEstablished) return;
  const bool waited = shared_.now - established_at_ > kTicketWait;
  if (!handshake_->finished() && !waited) return;
  ngtcp2_conn_set_tls_native_handle(engine_, nullptr);
  handshake_.reset();
}

}  // namespace p2pa::quic
