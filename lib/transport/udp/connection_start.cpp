// How a session begins (docs/wire/udp.md §handshake).
#include <algorithm>
#include <utility>

#include "transport/udp/connection.hpp"
#include "transport/udp/shared.hpp"

namespace p2pa::udp {
namespace {

constexpr Duration kSayAgain = milliseconds(250);
constexpr int kDoublingsMax = 6;

}  // namespace

std::unique_ptr<Connection> Connection::dial(Shared& shared, ConnectionId id, const Path& path,
                                             const DialTarget& target) {
  std::unique_ptr<Connection> out(new Connection(shared, id, true, path));
  out->peer_ = target.peer;
  out->begin_handshake(out->cid_, target.peer);
  out->say(encode(InitialPacket{out->cid_, {}, out->handshake_->first()}));
  return out;
}

std::unique_ptr<Connection> Connection::accept(Shared& shared, ConnectionId id, const Path& path,
                                               const InitialPacket& initial, resource::Reservation handshake) {
  std::unique_ptr<Connection> out(new Connection(shared, id, false, path));
  out->peer_cid_ = initial.source;
  out->reservation_ = std::move(handshake);
  out->begin_handshake(initial.source, {});
  const auto second = out->handshake_->answer_first(initial.message);
  if (!second) return nullptr;
  out->say(encode(ResponsePacket{out->peer_cid_, out->cid_, *second}));
  return out;
}

void Connection::begin_handshake(Cid dialer_cid, const PeerId& expected) {
  crypto::SecretBytes<32> ephemeral;
  shared_.rng.fill(ephemeral.span());
  Parameters ours = StreamEngine::parameters_of(shared_.resources.limits());
  ours.aes = shared_.config.aes;
  ours.fec = true;
  ours.idle_ms = static_cast<std::uint64_t>(shared_.config.idle_timeout.ms());
  handshake_ = std::make_unique<Handshake>(outbound_, shared_.identity, ephemeral.view(), dialer_cid, expected, ours);
}

void Connection::drop(DropCounters::Which reason) { shared_.resources.dropped(reason); }

void Connection::say(Bytes datagram) {
  saying_ = std::move(datagram);
  saying_due_ = true;
  said_ = 0;
  say_again_at_ = kNever;
  shared_.ready.push(*this);
}

void Connection::on_cookie(const CookiePacket& packet) {
  const bool expected = outbound_ && state_ == ConnectionState::kHandshaking;
  if (!expected || cookies_ >= kCookiesMax || std::ranges::equal(packet.cookie, cookie_)) {
    return drop(DropCounters::kUnexpected);
  }
  ++cookies_;
  cookie_.assign(packet.cookie.begin(), packet.cookie.end());
  say(encode(InitialPacket{cid_, cookie_, handshake_->first()}));
}

/// The dialer missed our answer; or it was to another message, which was not the dialer's.
void Connection::on_initial_again(const InitialPacket& initial) {
  if (state_ != ConnectionState::kHandshaking) return drop(DropCounters::kUnexpected);
  if (!std::ranges::equal(initial.message, handshake_->first())) {
    if (firsts_ == kFirstsMax) return drop(DropCounters::kUnexpected);
    ++firsts_;
    const auto second = handshake_->answer_first(initial.message);
    if (!second) return fail(second.error());
    return say(encode(ResponsePacket{peer_cid_, cid_, *second}));
  }
  saying_due_ = true;
  shared_.ready.push(*this);
}

void Connection::on_response(const ResponsePacket& packet) {
  if (!outbound_ || state_ != ConnectionState::kHandshaking) return drop(DropCounters::kUnexpected);
  const auto third = handshake_->answer_second(packet.message);
  if (!third) return fail(third.error());
  if (third->empty()) return drop(DropCounters::kNotAuthentic);
  peer_cid_ = packet.source;
  if (said_ == 1) rtt_.sample(shared_.now - said_at_, {});
  say(encode(FinishPacket{peer_cid_, *third}));
  establish();
}

void Connection::on_finish(const FinishPacket& packet) {
  if (outbound_) return drop(DropCounters::kUnexpected);
  if (established()) {  // it came again: the peer did not hear from us
    ping_due_ = true;
    return shared_.ready.push(*this);
  }
  if (state_ == ConnectionState::kClosed) return;
  const auto taken = handshake_->take_third(packet.message);
  if (!taken) return fail(taken.error());
  if (!*taken) {
    drop(DropCounters::kNotAuthentic);
    // The true one may follow; but each costs us more than who sent it.
    if (++finishes_refused_ < kFinishesRefusedMax) return;
    return fail({Code::kHandshake, kFinishesRefusedMax, "udp: too many messages that are not authentic"});
  }
  if (said_ == 1) rtt_.sample(shared_.now - said_at_, {});
  saying_ = {};
  saying_due_ = false;
  establish();
  confirm();
  ping_due_ = true;  // so that the peer knows
  const std::vector<Bytes> early = std::exchange(early_, {});
  for (const Bytes& packet_before : early) {
    if (!established()) return;
    on_data({path_.socket, path_.local, path_.remote, Ecn::kNone, packet_before.size(), packet_before}, packet_before);
  }
}

void Connection::establish() {
  crypto::SecretBytes<32> sending, receiving;
  handshake_->split(sending.span(), receiving.span());
  const bool aes = shared_.config.aes && handshake_->theirs().aes;
  keys_.emplace(aes ? Cipher::kAes256Gcm : Cipher::kChacha20Poly1305, sending.view(), receiving.view());
  key_since_ = heard_at_ = pinged_at_ = shared_.now;
  identified(handshake_->peer());
  message_memory_.set_peer(peer_);
  const Parameters& theirs = handshake_->theirs();
  constexpr std::uint64_t kIdleMax = 24 * 3600 * 1000;
  const auto idle = milliseconds(static_cast<std::int64_t>(std::clamp<std::uint64_t>(theirs.idle_ms, 1000, kIdleMax)));
  if (theirs.idle_ms > 0) idle_timeout_ = std::min(idle_timeout_, idle);
  engine_.start(theirs);
  if (theirs.fec) fec_out_.enable();
  handshake_.reset();
  streams_.attach(&engine_);
  state_ = ConnectionState::kEstablished;
  shared_.mux.events.push({this, nullptr, ConnectionEvent::Kind::kEstablished, 0});
  shared_.ready.push(*this);
}

/// The peer has the keys: what was said for them is said no more.
void Connection::confirm() {
  if (std::exchange(confirmed_, true)) return;
  saying_ = {};
  saying_due_ = false;
  say_again_at_ = kNever;
  reservation_.release();
}

bool Connection::transmit_handshake(MutableBytes buffer, Transmit& out) {
  if (!std::exchange(saying_due_, false)) return false;
  std::ranges::copy(saying_, buffer.begin());
  said_at_ = shared_.now;
  // Only the dialer repeats by itself.
  if (outbound_) say_again_at_ = shared_.now + kSayAgain * (std::int64_t{1} << std::min(said_, kDoublingsMax));
  ++said_;
  out = destination(path_, saying_.size());
  bytes_sent_ += saying_.size();
  ++packets_sent_;
  return true;
}

}  // namespace p2pa::udp
