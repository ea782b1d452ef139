#include "sim/tcp_sender.hpp"

#include <algorithm>

namespace p2pa::sim {

TcpSender::TcpSender(std::uint64_t first, std::size_t segment_max)
    : segment_max_(segment_max),
      buffer_begin_(first),
      next_(first),
      window_(segment_max) {}

// --- time, RFC 6298

void TcpSender::on_rtt(Duration rtt) {
  const bool first = rtt_min_ == Duration{};
  rtt_min_ = first ? rtt : std::min(rtt_min_, rtt);
  const Duration off = rtt > rtt_ ? rtt - rtt_ : rtt_ - rtt;
  rtt_variation_ = first ? rtt / 2 : (rtt_variation_ * 3 + off) / 4;
  rtt_ = first ? rtt : (rtt_ * 7 + rtt) / 8;
}

Duration TcpSender::timeout() const {
  Duration out = rtt_min_ == Duration{} ? kTimeoutInitial
                                        : rtt_ + std::max(kTimeoutMargin, rtt_variation_ * 4);
  for (int i = 0; i < timeouts_ && out < kTimeoutMax; ++i) out = out * 2;
  return std::min(out, kTimeoutMax);
}

bool TcpSender::on_deadline(Instant now) {
  if (now < next_deadline()) return true;
  if (timeouts_ == kTimeoutsMax) return false;
  window_.on_timeout(in_flight_, timeouts_ > 0);
  shrunk_at_ = transmissions_;
  ++timeouts_;
  waits_since_ = now;
  for (Sent& sent : sent_) {
    if (!sent.arrived && !sent.lost) mark_lost(sent);
  }
  return true;
}

// --- what the peer says

bool TcpSender::on_ack(Instant now, const TcpSegment& segment) {
  if (!segment.ack || segment.acknowledged > next_) return false;  // of what was never sent
  const std::size_t in_flight_before = in_flight_;
  const std::size_t sent_before = sent_.size();
  const Instant waits_since_before = waits_since_;
  std::size_t arrived = 0, grown = 0;
  for (; !sent_.empty() && sent_.front().next() <= segment.acknowledged; sent_.pop_front()) {
    if (!sent_.front().arrived) note_arrived(now, sent_.front(), grown);
  }
  for (std::size_t i = 0; i < segment.blocks_count; ++i) {
    const auto& [begin, end] = segment.blocks[i];
    for (Sent& sent : sent_) {
      if (sent.arrived || sent.sequence < begin || sent.next() > end) continue;
      note_arrived(now, sent, grown);
      ++arrived;
    }
  }
  if (sent_.size() == sent_before && arrived == 0) return false;
  timeouts_ = 0;
  waits_since_ = now;
  drop_acknowledged();
  detect_losses();
  // A window that was not used says nothing about the path.
  if (in_flight_before * 2 < window_.bytes()) {
    window_.on_idle(now - waits_since_before);
  } else if (grown > 0) {
    window_.on_arrival(now, grown, rtt_);
  }
  return true;
}

void TcpSender::note_arrived(Instant now, Sent& sent, std::size_t& grown) {
  if (sent.lost) {
    --lost_count_;
  } else {
    in_flight_ -= sent.size;
  }
  sent.lost = false;
  sent.arrived = true;
  if (!sent.again) on_rtt(now - sent.at);
  // Which transmission arrived of what was sent again? Not the last one when it is too early.
  if (!sent.again || (rtt_min_ > Duration{} && now - sent.at >= rtt_min_)) {
    newest_arrived_ = std::max(newest_arrived_, sent.transmission);
  }
  if (sent.transmission > shrunk_at_) grown += sent.size;
}

void TcpSender::drop_acknowledged() {
  const std::uint64_t first = sent_.empty() ? next_ : sent_.front().sequence;
  const auto size = std::min<std::uint64_t>(first - buffer_begin_, buffer_.size());
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(size));
  buffer_begin_ += size;
}

void TcpSender::detect_losses() {
  const std::size_t in_flight_before = in_flight_;
  bool news = false;
  for (Sent& sent : sent_) {
    if (sent.arrived || sent.lost || sent.transmission + kReorderingMax > newest_arrived_) continue;
    news = news || sent.transmission > shrunk_at_;
    mark_lost(sent);
  }
  if (!news) return;  // what is lost of one window shrinks it once
  window_.on_loss(in_flight_before);
  shrunk_at_ = transmissions_;
}

void TcpSender::mark_lost(Sent& sent) {
  sent.lost = true;
  ++lost_count_;
  in_flight_ -= sent.size;
}

// --- sending

bool TcpSender::may_send(std::size_t size) const {
  return in_flight_ == 0 || in_flight_ + size <= window_.bytes();
}

bool TcpSender::poll(Instant now, TcpSegment& out) {
  if (lost_count_ > 0) {
    const auto sent = std::find_if(sent_.begin(), sent_.end(), [](const Sent& s) { return s.lost; });
    if (!may_send(sent->size)) return false;
    sent->lost = false;
    --lost_count_;
    sent->again = true;
    waits_since_ = now;
    transmit(now, *sent, out);
    return true;
  }
  const std::uint64_t unsent = end_sent_ ? 0 : buffer_begin_ + buffer_.size() - next_;
  const std::size_t size = std::min<std::uint64_t>(unsent, segment_max_);
  const bool end = unsent == 0 && finishing_ && !end_sent_;
  if (size == 0 && !end) return false;
  const std::uint64_t first = sent_.empty() ? next_ : sent_.front().sequence;
  if (!may_send(size) || next_ + size > first + kTcpWindow) return false;
  if (sent_.empty()) {
    window_.on_idle(now - waits_since_);
    waits_since_ = now;
  }
  sent_.push_back({.sequence = next_, .size = size, .end = end, .transmission = 0, .at = now});
  next_ = sent_.back().next();
  end_sent_ = end;
  transmit(now, sent_.back(), out);
  return true;
}

void TcpSender::transmit(Instant now, Sent& sent, TcpSegment& out) {
  sent.transmission = ++transmissions_;
  sent.at = now;
  in_flight_ += sent.size;
  out.sequence = sent.sequence;
  out.fin = sent.end;
  if (sent.size == 0) return;
  const auto begin =
      buffer_.begin() + static_cast<std::ptrdiff_t>(sent.sequence - buffer_begin_);
  out.bytes.assign(begin, begin + static_cast<std::ptrdiff_t>(sent.size));
}

}  // namespace p2pa::sim
