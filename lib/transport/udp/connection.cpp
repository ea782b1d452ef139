#include "transport/udp/connection.hpp"

#include <algorithm>
#include <utility>

#include "base/varint.hpp"
#include "transport/udp/shared.hpp"

namespace p2pa::udp {
namespace {

using Kind = ConnectionEvent::Kind;

constexpr Duration kTidyInterval = seconds(5);

}  // namespace

Connection::Connection(Shared& shared, ConnectionId id, bool outbound, const Path& path)
    : MuxedConnection(shared.mux, id, outbound, udp_multiaddr(path.remote), udp_multiaddr(path.local)),
      shared_(shared),
      path_(path),
      first_remote_(path.remote),
      cid_(shared.fresh_cid()),
      begun_at_(shared.now),
      congestion_(make_controller(shared.config.congestion_control, MtuProbe::kSizeMin)),
      heard_at_(shared.now),
      pinged_at_(shared.now),
      idle_timeout_(shared.config.idle_timeout),
      engine_(outbound, streams_, shared.resources.limits(), static_cast<StreamEngine::Owner&>(*this)),
      datagrams_out_(shared.config.datagram_queue_bytes_max),
      datagrams_in_(shared.config.datagram_queue_bytes_max),
      message_memory_(shared.resources),
      fec_out_(message_memory_),
      fec_in_(message_memory_),
      messages_out_(shared.config.message_queue_bytes_max, message_memory_, fec_out_),
      messages_in_(message_memory_) {
  if (outbound_) path_.local = {};
  shared_.cids[cid_] = this;
}

Connection::~Connection() {
  datagrams_out_.clear(shared_.mux.chunks);
  datagrams_in_.clear(shared_.mux.chunks);
  if (state_ == ConnectionState::kClosed) return;
  shared_.cids.erase(cid_);
  shared_.ready.remove(*this);
}

// --- the application's side

Result<StreamId> Connection::open_stream(bool) {
  if (!established()) return p2pa::fail(Code::kInvalidState, "the connection is not established");
  return streams_.open();
}

Result<void> Connection::send_datagram(ByteView payload) {
  if (!established()) return p2pa::fail(Code::kInvalidState, "the connection is not established");
  if (payload.size() > kDatagramSizeMax) {
    return p2pa::fail(Code::kMessageTooLarge, "the datagram is too large", kDatagramSizeMax);
  }
  if (!datagrams_out_.push(shared_.mux.chunks, payload)) {
    return p2pa::fail(Code::kWouldBlock, "the datagram queue is full");
  }
  shared_.ready.push(*this);
  return {};
}

Result<void> Connection::send_message(ByteView bytes, const SessionMessageOptions& options) {
  if (!established()) return p2pa::fail(Code::kInvalidState, "the connection is not established");
  const auto pushed = messages_out_.push(shared_.now, bytes, options);
  if (pushed) shared_.ready.push(*this);
  return pushed;
}

void Connection::close(std::uint64_t code, std::string_view reason) {
  if (state_ == ConnectionState::kClosed) return;
  close_with(code, reason, {Code::kClosed, code, "closed on this side"});
}

DialStage Connection::stage() const {
  if (key_since_ != Instant{}) return DialStage::kConnected;
  return outbound_ && cookies_ == 0 ? DialStage::kConnecting : DialStage::kSecuring;
}

ConnectionStats Connection::stats(Instant) const {
  ConnectionStats out;
  out.rtt = rtt_.sampled() ? rtt_.smoothed() : Duration{};
  out.rtt_min = rtt_.least();
  out.rtt_variance = rtt_.sampled() ? rtt_.variance() : Duration{};
  out.bytes_sent = bytes_sent_;
  out.bytes_received = bytes_received_;
  out.packets_sent = packets_sent_;
  out.packets_received = packets_received_;
  out.packets_repeated = packets_lost_;
  out.congestion_window = congestion_->window();
  out.streams_opened = streams_.opened();
  out.streams_accepted = streams_.accepted();
  out.mtu = static_cast<std::uint32_t>(mtu_.size());
  return out;
}

void Connection::probe() {
  if (!established()) return;
  ping_due_ = true;
  shared_.ready.push(*this);
}

void Connection::tidy() {
  MuxedConnection::tidy();
  message_memory_.trim();
}

void Connection::describe(ConnectionEvent& event) {
  if (event.kind == Kind::kDatagram) {
    if (std::exchange(datagram_lent_, true)) datagrams_in_.pop(shared_.mux.chunks);
    event.datagram = datagrams_in_.front();
  }
  if (event.kind == Kind::kMessage) {
    message_lent_ = messages_in_.pop();
    event.code = std::uint64_t{std::to_underlying(message_lent_.delivery)} << 8 | message_lent_.channel;
    event.datagram = message_lent_.bytes;
  }
}

// --- time

Instant Connection::next_deadline() const {
  if (state_ == ConnectionState::kClosed) return kNever;
  Instant next = std::min({say_again_at_, tidy_at_, paced_until_});
  if (!confirmed_) next = std::min(next, begun_at_ + shared_.config.handshake_timeout);
  if (!established()) return next;
  next = std::min({next, messages_out_.next_deadline(), fec_out_.next_deadline()});
  next = std::min({next, acks_.due_at(), recovery_.next_deadline(rtt_)});
  return std::min({next, heard_at_ + idle_timeout_, ping_at()});
}

/// The dialer keeps the session alive; a little later the other end would.
Instant Connection::ping_at() const {
  const Duration period = outbound_ ? shared_.config.keep_alive : shared_.config.keep_alive * 9 / 8;
  if (period.ns == 0 || ping_due_) return kNever;
  return std::max(heard_at_, pinged_at_) + std::min(period, idle_timeout_ / 3);
}

void Connection::on_deadline() {
  if (state_ == ConnectionState::kClosed) return;
  const Instant now = shared_.now;
  if (!confirmed_ && now >= begun_at_ + shared_.config.handshake_timeout) {
    return fail({Code::kTimeout, 0, "the handshake took too long"});
  }
  if (now >= say_again_at_) {
    saying_due_ = true;
    say_again_at_ = kNever;
  }
  if (established()) {
    if (now >= heard_at_ + idle_timeout_) {
      return fail({Code::kConnectionLost, 0, "nothing was heard for too long"});
    }
    if (now >= ping_at()) {
      ping_due_ = true;
      pinged_at_ = now;
    }
    messages_out_.on_deadline(now);
    fec_out_.on_deadline(now);
    on_lost(recovery_.on_deadline(now, rtt_));
    if (recovery_.probes_due() > 0) send_oldest_again();
  }
  if (now >= paced_until_) paced_until_ = kNever;
  if (now >= tidy_at_) {
    tidy_at_ = kNever;
    tidy();
  }
  shared_.ready.push(*this);
}

/// In case that only its acknowledgement is missing.
void Connection::send_oldest_again() {
  if (const SentPacket* oldest = recovery_.oldest()) {
    for (const SentFrame& frame : oldest->frames) on_frame_lost(frame);
  }
  if (mtu_.timed_out(recovery_.timeouts())) congestion_->set_packet(mtu_.size());
}

void Connection::on_engine_wakes() {
  if (state_ == ConnectionState::kClosed) return;
  shared_.ready.push(*this);
  tidy_soon();
}

void Connection::tidy_soon() { tidy_at_ = std::min(tidy_at_, shared_.now + kTidyInterval); }

// --- the end

void Connection::lose_socket(SocketId socket) {
  if (socket != path_.socket || state_ == ConnectionState::kClosed) return;
  fail({Code::kClosed, 0, "the socket of the connection was closed"});
}

/// Says nothing to a peer that does not hear, or has no keys.
void Connection::fail(const Error& why) { finish_close(why, {}); }

void Connection::fail_on_violation(const Error& why) {
  close_with(wire_code::kConnProtocolViolation, why.why, {Code::kProtocolViolation, why.detail, why.why});
}

void Connection::close_with(std::uint64_t code, std::string_view reason, const Error& why) {
  Bytes packet;
  if (keys_) {
    packet.resize(MtuProbe::kSizeMin);
    PacketBuilder builder(shared_.plain, packet.size() - kDataHeaderSize - kTagSize, shared_.sent);
    builder.add(CloseFrame{std::min(code, kVarintMax), as_bytes(reason.substr(0, kCloseReasonMax))});
    packet.resize(seal(builder, packet, false));
  }
  finish_close(why, std::move(packet));
}

void Connection::finish_close(const Error& why, Bytes packet) {
  const Cid dialer_cid = outbound_ ? cid_ : peer_cid_;
  shared_.farewells.push_back({id_, cid_, first_remote_, dialer_cid, std::move(packet), destination(path_, 0),
                               rtt_.probe_timeout()});
  shared_.cids.erase(cid_);
  shared_.ready.remove(*this);
  state_ = ConnectionState::kClosed;
  why_ = why;
  streams_.attach(nullptr);
  handshake_.reset();
  reservation_.release();
  keys_.reset();
  datagrams_out_.clear(shared_.mux.chunks);
  messages_out_.clear();
  fec_out_.clear();
  fec_in_.clear();
  shared_.mux.events.push({this, nullptr, Kind::kClosed, 0});
}

}  // namespace p2pa::udp
