#include "sim/tcp_connection.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace p2pa::sim {

using Kind = SocketEvent::Kind;

TcpConnection::TcpConnection(Instant now, std::uint64_t sequence, std::size_t segment_max)
    : state_(State::kSynSent), first_(sequence), sender_(sequence + 1, segment_max), began_(now) {}

TcpConnection::TcpConnection(Instant now, std::uint64_t sequence, std::size_t segment_max,
                             const TcpSegment& syn)
    : TcpConnection(now, sequence, segment_max) {
  state_ = State::kSynReceived;
  receiver_.emplace(syn.sequence + 1);
}

// --- what the peer sends

void TcpConnection::on_segment(Instant now, const TcpSegment& segment) {
  if (state_ == State::kOver) return;
  if (state_ == State::kSynSent) return on_answer(now, segment);
  if (segment.rst) {
    if (!receiver_->in_window(segment.sequence)) return;
    if (state_ == State::kEstablished) {
      lose(Code::kConnectionLost, kReset, "the TCP connection was reset");
    }
    state_ = State::kOver;
    return;
  }
  if (state_ == State::kSynReceived && !on_handshake_end(now, segment)) return;
  receive(now, segment);
}

void TcpConnection::on_answer(Instant now, const TcpSegment& segment) {
  const bool ours = segment.ack && segment.acknowledged == first_ + 1;
  if (segment.rst) {
    if (ours) lose(Code::kUnreachable, kRefused, "nobody listens on that TCP port");
  } else if (segment.ack && !ours) {
    reset_due_ = segment.acknowledged;  // the peer has a connection of earlier: RFC 9293 §3.5.1
  } else if (segment.syn && ours) {
    receiver_.emplace(segment.sequence + 1);
    ack_due_ = true;
    establish(now, Kind::kConnected);
  }
}

bool TcpConnection::on_handshake_end(Instant now, const TcpSegment& segment) {
  if (segment.syn) {  // the dialer did not hear us
    if (segment.sequence + 1 == receiver_->next()) syn_due_ = true;
    return false;
  }
  if (!segment.ack || segment.acknowledged != first_ + 1) return false;
  establish(now, Kind::kAccepted);
  return true;
}

void TcpConnection::establish(Instant now, Kind kind) {
  if (syns_ == 1) sender_.on_rtt(now - began_);
  state_ = State::kEstablished;
  syn_due_ = false;
  syn_deadline_ = kNever;
  tell({.kind = kind});
}

void TcpConnection::receive(Instant now, const TcpSegment& segment) {
  // Whatever takes sequence numbers is answered, also what we have: the peer missed our answer.
  if (segment.syn) return owe_ack(now, true);
  const bool gaps_before = receiver_->has_gaps();
  const std::uint64_t next_before = receiver_->next();
  const bool ended_before = receiver_->ended();
  const bool news = sender_.on_ack(now, segment);
  Bytes bytes;
  if (segment.length() > 0) {
    receiver_->receive(segment, bytes);
    // What is out of order, or fills a gap, the sender learns at once (RFC 5681 §4.2).
    owe_ack(now, gaps_before || bytes.empty() || receiver_->ended());
  }
  if (!bytes.empty()) tell({.kind = Kind::kBytes, .bytes = std::move(bytes)});
  if (receiver_->ended() && !ended_before) tell({.kind = Kind::kEnd});
  if (!waiting_.empty() && sender_.fits(waiting_.size())) {
    sender_.write(std::exchange(waiting_, {}));
    tell({.kind = Kind::kWritten});
  }
  if (finishing_ && waiting_.empty()) sender_.finish();
  if (sender_.finished() && (news || receiver_->next() > next_before)) {
    linger_deadline_ = now + kLingerTime;
  }
}

void TcpConnection::owe_ack(Instant now, bool at_once) {
  if (at_once || ack_deadline_ != kNever) {
    ack_due_ = true;
  } else {
    ack_deadline_ = now + kAckDelay;
  }
}

void TcpConnection::lose(Code code, std::uint64_t detail, const char* why) {
  state_ = State::kOver;
  tell({.kind = Kind::kLost, .error = {code, detail, why}});
}

// --- what the owner asks

void TcpConnection::write(ByteView bytes) {
  P2PA_ASSERT(established() && waiting_.empty());
  if (!sender_.fits(bytes.size())) {
    waiting_.assign(bytes.begin(), bytes.end());
    return;
  }
  sender_.write(bytes);
  tell({.kind = Kind::kWritten});
}

void TcpConnection::finish() {
  events_.clear();
  finishing_ = true;
  if (!established()) state_ = State::kOver;  // there is nothing to end yet
  if (waiting_.empty()) sender_.finish();
}

void TcpConnection::reset() {
  events_.clear();
  finishing_ = true;
  if (established()) reset_due_ = sender_.next();
  state_ = State::kOver;
}

// --- time

Instant TcpConnection::next_deadline() const {
  if (state_ == State::kOver) return kNever;
  if (!established()) return syn_deadline_;
  return std::min({sender_.next_deadline(), ack_deadline_, linger_deadline_});
}

void TcpConnection::on_deadline(Instant now) {
  if (now < next_deadline()) return;
  if (established()) {
    if (now >= linger_deadline_) return reset();
    if (now >= ack_deadline_) ack_due_ = true;
    if (sender_.on_deadline(now)) return;
    lose(Code::kConnectionLost, kTimedOut, "the TCP connection broke");
  } else if (syns_ < kSynsMax) {
    syn_due_ = true;
  } else if (state_ == State::kSynSent) {
    lose(Code::kTimeout, kTimedOut, "the TCP address does not answer");
  } else {
    state_ = State::kOver;
  }
}

// --- output

bool TcpConnection::poll_segment(Instant now, TcpSegment& out) {
  out.clear();
  if (reset_due_) {
    out.rst = true;
    out.sequence = *std::exchange(reset_due_, std::nullopt);
    return true;
  }
  if (state_ == State::kOver) return false;
  if (!established()) {
    if (!std::exchange(syn_due_, false)) return false;
    syn_deadline_ = now + kSynTimeout * (std::int64_t{1} << syns_);
    if (syns_ < kSynsMax) ++syns_;
    out.syn = true;
    out.sequence = first_;
    if (receiver_) receiver_->acknowledge(out);
    return true;
  }
  // What arrived out of order is told in a segment of its own, which has room for it.
  const bool gaps = ack_due_ && receiver_->has_gaps();
  if (!gaps && sender_.poll(now, out)) {
    out.ack = true;
    out.acknowledged = receiver_->next();
    ack_due_ = false;
    ack_deadline_ = kNever;
    return true;
  }
  if (!std::exchange(ack_due_, false)) return false;
  ack_deadline_ = kNever;
  out.sequence = sender_.next();
  receiver_->acknowledge(out);
  return true;
}

bool TcpConnection::poll_event(Event& out) {
  if (events_.empty()) return false;
  out = std::move(events_.front());
  events_.pop_front();
  return true;
}

}  // namespace p2pa::sim
