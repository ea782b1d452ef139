#include "transport/tcp/connection.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.hpp"
#include "transport/tcp/shared.hpp"

namespace p2pa::tcp {
namespace {

using Kind = ConnectionEvent::Kind;

constexpr std::array<std::string_view, 1> kMuxers = {yamux::kProtocolId};
/// A record that is not complete keeps its memory for the next one until the connection is idle.
constexpr std::size_t kPartialKept = 4096;

constexpr Duration kTidyInterval = seconds(5);

constexpr Error kPeerEnded{Code::kConnectionClosed, 0, "the peer closed the connection"};

std::string_view protocol_of(Security security) {
  return security == Security::kNoise ? noise::kProtocol : tls::kProtocol;
}

/// It is the proxy that such a dial did not reach.
Error unreached(bool through_proxy, DialStage stage, const Error& why) {
  if (!through_proxy || stage != DialStage::kConnecting) return why;
  const char* what = why.code == Code::kTimeout ? "the proxy does not answer" : "the proxy refuses, or is not reached";
  return {why.code, why.detail, what};
}

/// What the peer says of a connection in a goodbye: yamux's own codes, and those of libp2p (specs PR 623).
std::uint32_t goodbye_of(const Error& why) {
  switch (why.code) {
    case Code::kProtocolViolation:
    case Code::kMalformed: return yamux::kGoAwayProtocolError;
    case Code::kRateLimited: return wire_code::kConnRateLimited;
    default: return yamux::kGoAwayNormal;
  }
}

}  // namespace

Connection::Connection(Shared& shared, ConnectionId id, bool outbound, SocketId socket, Road road,
                       LayerStack layers)
    : MuxedConnection(shared.mux, id, outbound, address_of(road, road.remote), {}),
      shared_(shared),
      socket_(socket),
      road_(std::move(road)),
      layers_(std::move(layers)),
      begun_at_(shared.now) {}

Connection::~Connection() {
  if (!closed()) finish_close({Code::kClosed, 0, ""}, SocketRequest::Kind::kAbort);
}

std::unique_ptr<Connection> Connection::dial(Shared& shared, ConnectionId id, Road road, LayerStack layers,
                                             const DialTarget& target) {
  std::unique_ptr<Connection> out(new Connection(shared, id, true, shared.numbers.next(), std::move(road),
                                                 std::move(layers)));
  out->peer_ = target.peer;
  shared.keep_socket(out->socket_, *out);
  shared.request(SocketRequest::Kind::kConnect, out->socket_, first_hop(shared, out->road_));
  return out;
}

std::unique_ptr<Connection> Connection::accept(Shared& shared, ConnectionId id, Road road, LayerStack layers,
                                               const SocketEvent& accepted,
                                               resource::Reservation handshake) {
  std::unique_ptr<Connection> out(new Connection(shared, id, false, accepted.socket, std::move(road),
                                                 std::move(layers)));
  out->handshake_ = std::move(handshake);
  out->local_address_ = address_of(out->road_, accepted.local);
  out->security_choice_.listen();
  shared.keep_socket(out->socket_, *out);
  out->begin_layers();
  return out;
}

// --- the application's side

Result<StreamId> Connection::open_stream(bool) {
  if (!established()) return p2pa::fail(Code::kInvalidState, "the connection is not established");
  return streams_.open();
}

Result<void> Connection::send_datagram(ByteView) {
  return p2pa::fail(Code::kUnsupported, "TCP carries no datagrams");
}

void Connection::ask_delivery() {
  if (established() && undelivered() > 0) session_->ask_confirmation();
}

void Connection::close(std::uint64_t code, std::string_view) {
  if (closed()) return;
  if (session_) session_->go_away(static_cast<std::uint32_t>(std::min<std::uint64_t>(code, UINT32_MAX)));
  finish_close({Code::kClosed, code, "closed on this side"}, SocketRequest::Kind::kFinish);
}

ConnectionStats Connection::stats(Instant) const {
  ConnectionStats out;
  out.bytes_sent = bytes_sent_;
  out.bytes_received = bytes_received_;
  out.packets_sent = writes_;
  out.packets_received = reads_;
  out.streams_opened = streams_.opened();
  out.streams_accepted = streams_.accepted();
  if (!session_) return out;
  out.rtt = session_->rtt();
  out.rtt_min = session_->rtt_min();
  out.rtt_variance = session_->rtt_variance();
  return out;
}

// --- what the socket does

void Connection::handle(const SocketEvent& event) {
  using Socket = SocketEvent::Kind;
  if (closed()) return;
  switch (event.kind) {
    case Socket::kAccepted: return;
    case Socket::kConnected: return on_connected(event.local);
    case Socket::kBytes: return on_bytes(event.bytes);
    case Socket::kEnd: return on_peer_ended();
    case Socket::kWritten:
      writing_ = false;
      return want_to_write();
    case Socket::kLost:
      shared_.forget_socket(std::exchange(socket_, 0));
      if (state_ == State::kSecuring && try_next_security()) return;
      return finish_close(unreached(outbound_ && shared_.config.proxy, stage(), event.error),
                          SocketRequest::Kind::kAbort);
  }
}

void Connection::on_connected(const IpEndpoint& local) {
  if (state_ != State::kConnecting) return;
  local_address_ = address_of(road_, local);
  begin_layers();
}

void Connection::begin_layers() {
  state_ = State::kDressing;
  if (const auto begun = layers_.begin(dressed_); !begun) return fail(begun.error());
  want_to_write();
  if (layers_.open()) on_dressed();
}

void Connection::on_dressed() {
  state_ = State::kSecuring;
  if (outbound_) propose_security();
}

void Connection::on_peer_ended() {
  if (session_ && session_->gone()) {
    return finish_close({Code::kConnectionClosed, *session_->gone(), kPeerEnded.why}, SocketRequest::Kind::kFinish);
  }
  if (state_ == State::kSecuring && try_next_security()) return;
  fail(kPeerEnded);
}

void Connection::on_bytes(ByteView bytes) {
  bytes_received_ += bytes.size();
  ++reads_;
  tidy_at_ = std::min(tidy_at_, shared_.now + kTidyInterval);
  if (layers_.empty()) return on_undressed(bytes);
  Bytes up = std::exchange(shared_.undressed, {});
  const auto fine = layers_.receive(bytes, up, dressed_);
  want_to_write();
  if (state_ == State::kDressing && layers_.open()) on_dressed();
  if (!closed() && !up.empty()) on_undressed(up);
  up.clear();
  shared_.undressed = std::move(up);
  if (!closed() && fine && dressed_.size() > Shared::kDressedMax) {
    return fail({Code::kProtocolViolation, 0, "the peer asks without end, and takes no answer"});
  }
  if (closed() || fine) return;
  if (fine.error().code == Code::kConnectionClosed) return on_peer_ended();
  fail(fine.error());
}

void Connection::on_undressed(ByteView bytes) {
  // The rest of what was not complete, and no more than that needs, is put together first.
  while (!partial_.empty() && !bytes.empty()) {
    const std::size_t before = partial_.size();
    const std::size_t more = std::min(bytes.size(), SecureChannel::kRecordBytesMax - before);
    partial_.insert(partial_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(more));
    const auto taken = process(partial_);
    if (closed()) return;
    if (!taken) return fail(taken.error());
    if (*taken == 0 && partial_.size() == SecureChannel::kRecordBytesMax) {
      return fail({Code::kProtocolViolation, 0, "a record is larger than any may be"});
    }
    if (*taken <= before) {
      partial_.erase(partial_.begin(), partial_.begin() + static_cast<std::ptrdiff_t>(*taken));
      bytes = bytes.subspan(more);
    } else {
      partial_.clear();
      bytes = bytes.subspan(*taken - before);
    }
  }
  if (bytes.empty()) return;
  const auto taken = process(bytes);
  if (closed()) return;
  if (!taken) return fail(taken.error());
  const ByteView rest = bytes.subspan(*taken);
  if (rest.size() > SecureChannel::kRecordBytesMax) {
    return fail({Code::kProtocolViolation, 0, "a record is larger than any may be"});
  }
  partial_.assign(rest.begin(), rest.end());
}

Result<std::size_t> Connection::process(ByteView bytes) {
  std::size_t taken = 0;
  for (;;) {
    const ByteView rest = bytes.subspan(taken);
    const State before = state_;
    const bool chosen = security_choice_.agreed();
    Result<std::size_t> step = 0;
    if (before == State::kSecuring) {
      step = chosen ? shake_hands(rest) : select(rest);
    } else if (before == State::kMuxing || before == State::kOpen) {
      step = open_records(rest);
    }
    if (!step) return step;
    if (closed()) return taken;
    taken += *step;
    if (*step == 0 && state_ == before && chosen == security_choice_.agreed()) return taken;
  }
}

// --- security

void Connection::propose_security() {
  const Security security = shared_.config.security.at(security_);
  security_choice_.propose(protocol_of(security), clear_);
  choose_security(security);
  if (!channel_) return fail({Code::kOutOfMemory, 0, "no secure channel"});
  if (const auto begun = channel_->handshake({}, clear_); !begun) return fail(begun.error());
  want_to_write();
}

void Connection::choose_security(Security security) {
  const PeerId expected = outbound_ ? peer_ : PeerId{};
  if (security == Security::kNoise) {
    channel_ = std::make_unique<noise::NoiseChannel>(outbound_, shared_.noise(), shared_.rng, expected,
                                                     std::vector<std::string>(kMuxers.begin(), kMuxers.end()));
    return;
  }
  const tls::TlsChannel::Options options{expected, kMuxers, shared_.unix_time()};
  channel_ = outbound_ ? tls::TlsChannel::client(shared_.tls(), options)
                       : tls::TlsChannel::server(shared_.tls(), options);
}

Result<std::size_t> Connection::select(ByteView bytes) {
  const auto& offered = shared_.config.security;
  const auto known = [&](std::string_view protocol) {
    return std::ranges::any_of(offered, [&](Security s) { return protocol_of(s) == protocol; });
  };
  const auto progress = security_choice_.advance(bytes, known, clear_);
  want_to_write();
  if (!progress) {
    if (progress.error().code == Code::kProtocolUnsupported && try_next_security()) return bytes.size();
    return std::unexpected(progress.error());
  }
  if (progress->finished && !outbound_) {
    choose_security(*std::ranges::find(offered, security_choice_.protocol(), protocol_of));
    if (!channel_) return p2pa::fail(Code::kOutOfMemory, "no secure channel");
    if (const auto begun = channel_->handshake({}, clear_); !begun) return begun;
  }
  return progress->consumed;
}

/// The peer does not have what was offered, and what was sent behind the offer is spilt: begins anew, on
/// another socket. False: nothing else is left.
bool Connection::try_next_security() {
  if (!outbound_ || security_choice_.agreed() || security_ + 1 >= shared_.config.security.size()) return false;
  auto layers = layers_of(shared_, road_, outbound_);
  if (!layers) return false;
  ++security_;
  if (socket_ != 0) {
    shared_.forget_socket(socket_);
    shared_.request(SocketRequest::Kind::kAbort, socket_);
  }
  socket_ = shared_.numbers.next();
  shared_.request(SocketRequest::Kind::kConnect, socket_, first_hop(shared_, road_));
  shared_.keep_socket(socket_, *this);
  state_ = State::kConnecting;
  writing_ = false;
  security_choice_ = {};
  channel_.reset();
  layers_ = std::move(*layers);
  dressed_.clear();
  clear_.clear();
  partial_.clear();
  return true;
}

Result<std::size_t> Connection::shake_hands(ByteView bytes) {
  const auto taken = channel_->handshake(bytes, clear_);
  want_to_write();
  if (!taken || !channel_->established()) return taken;
  if (auto fine = on_secured(); !fine) return std::unexpected(fine.error());
  return taken;
}

Result<void> Connection::on_secured() {
  identified(channel_->peer());
  state_ = State::kMuxing;
  const bool agreed = !channel_->muxer().empty();
  if (!agreed && outbound_) muxer_choice_.propose(yamux::kProtocolId, unsealed_);
  if (!agreed && !outbound_) muxer_choice_.listen();
  if (agreed || outbound_) open_session();
  return {};
}

void Connection::open_session() {
  state_ = State::kOpen;
  handshake_.release();
  const yamux::Config config{outbound_, shared_.config.keep_alive, shared_.config.idle_timeout};
  session_.emplace(config, streams_, shared_.resources.limits(), static_cast<yamux::Session::Owner&>(*this),
                   shared_.now);
  streams_.attach(&*session_);
  shared_.mux.events.push({this, nullptr, Kind::kEstablished, 0});
  want_to_write();
}

// --- secured bytes

Result<std::size_t> Connection::open_records(ByteView bytes) {
  const MutableBytes space = shared_.plain_space();
  const auto progress = channel_->open(bytes, space);
  if (!progress) {
    if (progress.error().code != Code::kConnectionClosed) {
      unreadable_ = true;
      return std::unexpected(progress.error());
    }
    on_peer_ended();
    return bytes.size();
  }
  if (progress->made > 0) {
    if (auto fine = on_plain(ByteView(space).first(progress->made)); !fine) return std::unexpected(fine.error());
  }
  return progress->taken;
}

Result<void> Connection::on_plain(ByteView bytes) {
  if (muxer_choice_.state() != multistream::Negotiation::State::kIdle && !muxer_choice_.agreed()) {
    const auto known = [](std::string_view protocol) { return protocol == yamux::kProtocolId; };
    const auto progress = muxer_choice_.advance(bytes, known, unsealed_);
    want_to_write();
    if (!progress) return std::unexpected(progress.error());
    if (progress->finished && !outbound_) open_session();
    bytes = bytes.subspan(progress->consumed);
  }
  return bytes.empty() ? Result<void>{} : session_->receive(shared_.now, bytes);
}

// --- writing

void Connection::want_to_write() {
  if (!closed() && !writing_) shared_.ready.push(*this);
}

std::size_t Connection::seal(ByteView plain, MutableBytes out) {
  std::size_t size = 0;
  while (!plain.empty()) {
    const ByteView record = plain.first(std::min(plain.size(), channel_->seal_max()));
    size += channel_->seal(record, out.subspan(size));
    plain = plain.subspan(record.size());
  }
  return size;
}

std::size_t Connection::fill(MutableBytes buffer) {
  if (closed() || writing_ || state_ == State::kConnecting) return 0;
  const std::size_t size = layers_.empty() ? fill_undressed(buffer) : fill_dressed(buffer);
  bytes_sent_ += size;
  if (size == 0) return 0;
  tidy_at_ = std::min(tidy_at_, shared_.now + kTidyInterval);
  writing_ = true;
  ++writes_;
  return size;
}

std::size_t Connection::fill_dressed(MutableBytes buffer) {
  if (dressed_.empty() && layers_.open()) {
    const MutableBytes plain = shared_.undressed_space();
    if (const std::size_t n = fill_undressed(plain); n > 0) layers_.send(plain.first(n), dressed_);
  }
  const std::size_t size = std::min(dressed_.size(), buffer.size());
  std::copy_n(dressed_.begin(), size, buffer.begin());
  dressed_.erase(dressed_.begin(), dressed_.begin() + static_cast<std::ptrdiff_t>(size));
  return size;
}

std::size_t Connection::fill_undressed(MutableBytes buffer) {
  std::size_t size = std::min(clear_.size(), buffer.size());
  std::copy_n(clear_.begin(), size, buffer.begin());
  clear_.erase(clear_.begin(), clear_.begin() + static_cast<std::ptrdiff_t>(size));
  if (clear_.empty() && channel_ && channel_->established() && !unreadable_) {
    // What is chosen there is a few bytes: it always fits.
    size += seal(std::exchange(unsealed_, {}), buffer.subspan(size));
    const std::size_t overhead = channel_->seal_overhead();
    while (session_ && buffer.size() - size >= overhead + yamux::kFrameRoomMin) {
      const std::size_t room = std::min(channel_->seal_max(), buffer.size() - size - overhead);
      const MutableBytes plain = shared_.plain_space().first(std::min(room, Shared::kPlainBytes));
      const std::size_t n = session_->fill(shared_.now, plain);
      if (n == 0) break;
      size += channel_->seal(plain.first(n), buffer.subspan(size));
    }
  }
  return size;
}

// --- time

Instant Connection::next_deadline() const {
  if (closed()) return kNever;
  const Instant due = session_ ? session_->next_deadline() : begun_at_ + shared_.config.handshake_timeout;
  return std::min(due, tidy_at_);
}

void Connection::on_deadline() {
  if (closed()) return;
  if (shared_.now >= tidy_at_) tidy();
  if (session_) {
    if (const auto alive = session_->on_deadline(shared_.now); !alive) fail(alive.error());
  } else if (shared_.now >= begun_at_ + shared_.config.handshake_timeout) {
    const Error late{Code::kTimeout, 0, "the handshake took too long"};
    fail(unreached(outbound_ && shared_.config.proxy, stage(), late));
  }
}

DialStage Connection::stage() const {
  switch (closed() ? last_ : state_) {
    case State::kConnecting: return DialStage::kConnecting;
    case State::kDressing:
    case State::kSecuring: return DialStage::kSecuring;
    case State::kMuxing: return DialStage::kMuxing;
    case State::kOpen:
    case State::kClosed: break;
  }
  return DialStage::kConnected;
}

void Connection::tidy() {
  tidy_at_ = kNever;
  MuxedConnection::tidy();
  for (Bytes* kept : {&partial_, &dressed_}) {
    if (kept->empty() && kept->capacity() > kPartialKept) *kept = {};
  }
}

// --- the end

void Connection::fail(const Error& why) {
  if (closed()) return;
  if (session_) session_->go_away(goodbye_of(why));
  const bool silent = why.code == Code::kConnectionLost || why.code == Code::kTimeout;
  finish_close(why, silent ? SocketRequest::Kind::kAbort : SocketRequest::Kind::kFinish);
}

/// What is still to be said to the peer, as the socket takes it.
Bytes Connection::last_bytes() {
  Bytes last(Shared::kWriteBytes);
  last.resize(fill_undressed(last));
  if (channel_ && channel_->established()) channel_->finish(last);
  if (!layers_.empty()) {
    if (layers_.open()) layers_.send(last, dressed_);
    layers_.finish(dressed_);
    last = std::exchange(dressed_, {});
  }
  last.shrink_to_fit();
  return last;
}

void Connection::finish_close(const Error& why, SocketRequest::Kind how) {
  streams_.attach(nullptr);
  if (socket_ != 0) {
    Farewell farewell{socket_, {}, writing_};
    if (how == SocketRequest::Kind::kFinish && state_ != State::kConnecting) {
      farewell.bytes = last_bytes();
      shared_.farewells.push_back(std::move(farewell));
    } else {
      shared_.request(SocketRequest::Kind::kAbort, socket_);
    }
    shared_.forget_socket(socket_);
  }
  last_ = state_;
  state_ = State::kClosed;
  why_ = why;
  handshake_.release();
  shared_.ready.remove(*this);
  shared_.mux.events.push({this, nullptr, Kind::kClosed, 0});
}

}  // namespace p2pa::tcp
