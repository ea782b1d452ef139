#include "transport/udp/bbr.hpp"

#include <algorithm>
#include <utility>

namespace p2pa::udp {
namespace {

constexpr double kPacketsInitial = 10, kPacketsMin = 4, kPacedMin = 1;
constexpr double kStartupGain = 2.77, kDrainGain = 1 / 2.77;  // 4 ln 2: doubles what is delivered in a round trip
constexpr double kWindowGain = 2, kProbeRttWindowGain = 0.5;
constexpr std::array kCycle = {1.25, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0};
constexpr double kFullGrowth = 1.25;
constexpr int kFullRounds = 3;
constexpr double kCeilingShrinks = 0.7, kCeilingGrows = 1.25;
constexpr double kPacerGain = 1.25;  // which the pacer adds by itself

}  // namespace

void Bbr::sent(SentPacket& packet, std::size_t in_flight) {
  if (in_flight == 0 || delivered_at_ == Instant{}) first_sent_at_ = delivered_at_ = packet.at;
  packet.delivery = {delivered_, delivered_at_, first_sent_at_, app_limited()};
}

void Bbr::idle(std::size_t in_flight) {
  if (in_flight < window()) app_limited_until_ = delivered_ + std::max<std::size_t>(in_flight, 1);
}

void Bbr::acknowledged(const SentPacket& packet, Instant now, const RttEstimator& rtt, std::size_t in_flight, bool) {
  const DeliveryStamp& then = packet.delivery;
  delivered_ += packet.size;
  round_delivered_ += static_cast<double>(packet.size);
  delivered_at_ = now;
  first_sent_at_ = std::max(first_sent_at_, packet.at);
  if (then.delivered > delivered_) return;  // it left on the path before this one
  update_least_rtt(now, rtt.latest());
  if (then.delivered >= round_end_) begin_round(then.app_limited);
  // Neither can bytes arrive faster than they left, nor be acknowledged faster than they arrive.
  const Duration elapsed = std::max(packet.at - then.first_sent_at, now - then.delivered_at);
  if (elapsed >= least_rtt_ && elapsed.ns > 0) {
    sample(static_cast<double>(delivered_ - then.delivered) / elapsed.seconds(), then.app_limited);
  }
  update_phase(now, in_flight);
}

/// Who has nothing to send says nothing of the path, except that it carries as much.
void Bbr::sample(double bandwidth, bool limited) {
  if (limited && bandwidth < this->bandwidth()) return;
  while (!bandwidths_.empty() && bandwidths_.back().second <= bandwidth) bandwidths_.pop_back();
  bandwidths_.emplace_back(round_, bandwidth);
  while (bandwidths_.front().first + kRoundsKept < round_) bandwidths_.pop_front();
}

void Bbr::begin_round(bool limited) {
  ++round_;
  round_end_ = delivered_;
  bound_by_losses();
  // A window that losses bound fills no pipe, however slowly it grows.
  if (!limited && !filled_ && ceiling_ >= wanted_window()) look_for_full_pipe();
}

void Bbr::look_for_full_pipe() {
  if (bandwidth() >= full_bandwidth_ * kFullGrowth) {
    full_bandwidth_ = bandwidth();
    full_rounds_ = 0;
    return;
  }
  filled_ = ++full_rounds_ >= kFullRounds;
  if (filled_ && phase_ == Phase::kStartup) phase_ = Phase::kDrain;
}

void Bbr::bound_by_losses() {
  const double lost = std::exchange(round_lost_, 0), all = lost + std::exchange(round_delivered_, 0);
  if (lost > kLossMax * all && lost > 2 * packet_) {
    ceiling_ = static_cast<double>(window()) * kCeilingShrinks;
  } else {
    ceiling_ *= kCeilingGrows;
  }
}

void Bbr::update_least_rtt(Instant now, Duration rtt) {
  const bool old = now > least_rtt_at_ + kLeastRttKept;
  const bool first = least_rtt_.ns == 0;
  if (first || rtt <= least_rtt_ || (old && app_limited())) {
    // Who does not fill the path does not lengthen its round trip either.
    least_rtt_ = rtt;
    least_rtt_at_ = now;
  } else if (old && phase_ != Phase::kProbeRtt) {
    phase_ = Phase::kProbeRtt;
    probe_rtt_end_ = now + kProbeRttTime;
    least_rtt_ = rtt;
    least_rtt_at_ = now;
  }
}

void Bbr::update_phase(Instant now, std::size_t in_flight) {
  // What was just acknowledged is among it, and may be more than a short or thin road holds.
  const bool drained = static_cast<double>(in_flight) <= std::max(product(), kPacketsMin * packet_);
  switch (phase_) {
    case Phase::kStartup: return;
    case Phase::kDrain:
      if (!drained) return;
      break;
    case Phase::kProbeBandwidth: {
      const bool draining = kCycle[cycle_] < 1;
      if (now < cycle_at_ + least_rtt_ && !(draining && drained)) return;
      cycle_ = (cycle_ + 1) % kCycle.size();
      cycle_at_ = now;
      return;
    }
    case Phase::kProbeRtt:
      if (now < probe_rtt_end_) return;
      least_rtt_at_ = now;
      break;
  }
  phase_ = filled_ ? Phase::kProbeBandwidth : Phase::kStartup;
  cycle_ = kCycle.size() - 1;
  cycle_at_ = now;
}

void Bbr::lost(const SentPacket& packet, Instant) { round_lost_ += static_cast<double>(packet.size); }

void Bbr::collapse() { ceiling_ = kPacketsMin * packet_; }

double Bbr::gain() const {
  switch (phase_) {
    case Phase::kStartup: return kStartupGain;
    case Phase::kDrain: return kDrainGain;
    case Phase::kProbeBandwidth: return kCycle[cycle_];
    case Phase::kProbeRtt: return 1;
  }
  return 1;
}

double Bbr::wanted_window() const {
  const double gain = phase_ == Phase::kProbeRtt ? kProbeRttWindowGain : filled_ ? kWindowGain : kStartupGain;
  double window = gain * product() + (phase_ == Phase::kProbeRtt ? 0 : kPacketsMin * packet_);
  if (!filled_ && phase_ != Phase::kProbeRtt) window = std::max(window, kPacketsInitial * packet_);
  return window;
}

std::size_t Bbr::window() const {
  return static_cast<std::size_t>(std::max(std::min(wanted_window(), ceiling_), kPacketsMin * packet_));
}

std::size_t Bbr::paced_window(Duration rtt) const {
  if (bandwidths_.empty()) return window();
  const double paced = gain() * bandwidth() * rtt.seconds() / kPacerGain;
  return static_cast<std::size_t>(std::max(paced, kPacedMin * packet_));  // a thin road, too, has to be probed
}

}  // namespace p2pa::udp
