#include "transport/udp/loss_recovery.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace p2pa::udp {
namespace {

constexpr int kBackOffMax = 6;        // doublings
constexpr int kProbesPerTimeout = 2;  // RFC 9002 §6.2.4

}  // namespace

void LossRecovery::sent(SentPacket packet) {
  P2PA_ASSERT(packet.number < next_number_ && (packets_.empty() || packet.number > packets_.back().packet.number));
  in_flight_ += packet.size;
  last_sent_ = packet.at;
  packets_.push_back({std::move(packet)});
}

std::deque<LossRecovery::Entry>::iterator LossRecovery::find(std::uint64_t number) {
  return std::ranges::lower_bound(packets_, number, {}, [](const Entry& entry) { return entry.packet.number; });
}

SentPacket LossRecovery::take(Entry& entry) {
  entry.gone = true;
  in_flight_ -= entry.packet.size;
  SentPacket taken = std::move(entry.packet);
  entry.packet.number = taken.number;  // by which others are found
  return taken;
}

void LossRecovery::forget_gone() {
  while (!packets_.empty() && packets_.front().gone) packets_.pop_front();
}

Result<LossRecovery::Outcome> LossRecovery::acknowledged(const AckFrame& ack, Instant now, RttEstimator& rtt) {
  if (ack.largest() >= next_number_) {
    return fail(Code::kProtocolViolation, "udp: an acknowledgement of what was never sent", ack.largest());
  }
  Outcome out;
  for (const Range& range : ack.ranges()) {
    for (auto it = find(range.begin); it != packets_.end() && it->packet.number < range.end; ++it) {
      if (it->gone) continue;
      // Only the newest packet of all says how long the way is (RFC 9002 §5.1).
      if (it->packet.number == ack.largest()) {
        constexpr std::uint64_t kDelayMax = 10'000'000;
        rtt.sample(now - it->packet.at, microseconds(static_cast<std::int64_t>(std::min(ack.delay_us, kDelayMax))));
      }
      out.acknowledged.push_back(take(*it));
    }
  }
  largest_acknowledged_ = std::max(largest_acknowledged_.value_or(0), ack.largest());
  if (!out.acknowledged.empty()) timeouts_ = probes_due_ = 0;
  detect(now, rtt, out.lost);
  forget_gone();
  return out;
}

void LossRecovery::detect(Instant now, const RttEstimator& rtt, std::vector<SentPacket>& lost) {
  loss_at_ = kNever;
  if (!largest_acknowledged_) return;
  const Duration delay = rtt.loss_delay();
  for (Entry& entry : packets_) {
    if (entry.packet.number > *largest_acknowledged_) break;
    if (entry.gone) continue;
    if (entry.packet.number + kReordered <= *largest_acknowledged_ || entry.packet.at + delay <= now) {
      lost.push_back(take(entry));
    } else {
      loss_at_ = std::min(loss_at_, entry.packet.at + delay);
    }
  }
}

Instant LossRecovery::next_deadline(const RttEstimator& rtt) const {
  if (loss_at_ != kNever) return loss_at_;
  if (in_flight_ == 0) return kNever;
  return last_sent_ + rtt.probe_timeout() * (std::int64_t{1} << std::min(timeouts_, kBackOffMax));
}

std::vector<SentPacket> LossRecovery::on_deadline(Instant now, const RttEstimator& rtt) {
  std::vector<SentPacket> lost;
  if (now < next_deadline(rtt)) return lost;
  if (loss_at_ != kNever) {
    detect(now, rtt, lost);
    forget_gone();
    return lost;
  }
  ++timeouts_;
  probes_due_ = kProbesPerTimeout;
  last_sent_ = now;  // the next time-out counts from here, whether or not anything can be sent
  return lost;
}

const SentPacket* LossRecovery::oldest() const {
  const auto it = std::ranges::find(packets_, false, &Entry::gone);
  return it == packets_.end() ? nullptr : &it->packet;
}

bool persistent_congestion(const LossRecovery::Outcome& outcome, const RttEstimator& rtt) {
  if (!rtt.sampled() || outcome.lost.size() < 2) return false;
  const SentPacket& first = outcome.lost.front();
  const SentPacket& last = outcome.lost.back();
  if (last.at - first.at <= rtt.probe_timeout() * 3) return false;
  return std::ranges::none_of(outcome.acknowledged, [&](const SentPacket& packet) {
    return packet.number > first.number && packet.number < last.number;
  });
}

}  // namespace p2pa::udp
