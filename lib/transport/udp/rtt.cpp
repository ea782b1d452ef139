#include "transport/udp/rtt.hpp"

#include <algorithm>

namespace p2pa::udp {

void RttEstimator::sample(Duration latest, Duration ack_delay) {
  latest = std::max(latest, nanoseconds(1));
  latest_ = latest;
  if (!sampled_) {
    sampled_ = true;
    least_ = smoothed_ = latest;
    variance_ = latest / 2;
    return;
  }
  least_ = std::min(least_, latest);
  ack_delay = std::clamp(ack_delay, Duration{}, kAckDelayMax);
  const Duration adjusted = latest >= least_ + ack_delay ? latest - ack_delay : latest;
  const Duration difference{std::max((smoothed_ - adjusted).ns, (adjusted - smoothed_).ns)};
  variance_ = (variance_ * 3 + difference) / 4;
  smoothed_ = (smoothed_ * 7 + adjusted) / 8;
}

Duration RttEstimator::probe_timeout() const {
  return smoothed_ + std::max(variance_ * 4, kTimerGranularity) + kAckDelayMax;
}

Duration RttEstimator::loss_delay() const {
  return std::max(std::max(smoothed_, latest_) * 9 / 8, kTimerGranularity);
}

}  // namespace p2pa::udp
