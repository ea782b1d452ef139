#include "swarm/failure_detector.hpp"

#include <algorithm>
#include <cmath>

namespace p2pa::swarm {
namespace {

// Silences are never taken for more regular than this.
constexpr double kDeviationMin = 0.4, kDeviationShareMin = 0.25;

/// -log10 of the chance that a value of a normal distribution is over `x`: the logistic approximation of its
/// tail (Bowling et al. 2009), which no argument makes infinite.
double tail_decades(double x, double mean, double deviation) {
  const double y = (x - mean) / deviation;
  const double exponent = y * (1.5976 + 0.070566 * y * y);
  // log10(1 + e^exponent)
  return exponent > 30 ? exponent / std::log(10.0) : std::log1p(std::exp(exponent)) / std::log(10.0);
}

}  // namespace

FailureDetector::Verdict FailureDetector::look(Instant now, Instant heard_at, Duration rtt) {
  const Duration step = heartbeat_ / kProbesPerHeartbeat;
  const bool overslept = now - due_ > heartbeat_;
  if (heard_at > heard_at_) {
    // Of signs that come by themselves nothing is to be learnt: who talks without a pause may still pause.
    if (probes_ > 0) remember(heard_at - heard_at_);
    heard_at_ = heard_at;
    probes_ = 0;
  }
  if (overslept && now - heard_at_ > heartbeat_) heard_at_ = now - heartbeat_;
  if (!asks_ && now < heard_at_ + heartbeat_) {
    due_ = heard_at_ + heartbeat_;
    return Verdict::kAlive;
  }
  asks_ = false;
  if (!overslept && phi(now, rtt) >= kPhiDead) return Verdict::kDead;
  const Duration answer = rtt + rtt / 4;
  due_ = now + (probes_++ > 0 ? step : std::max(step, answer));
  return Verdict::kProbe;
}

double FailureDetector::phi(Instant now, Duration rtt) const {
  const Silences usual = expected(rtt);
  return tail_decades((now - heard_at_).seconds(), usual.mean, usual.deviation);
}

/// A silence that is asked about lasts a heartbeat and a round trip, and no experience makes it shorter.
FailureDetector::Silences FailureDetector::expected(Duration rtt) const {
  const double heartbeat = heartbeat_.seconds();
  Silences out{heartbeat + rtt.seconds(), 0};
  const std::size_t n = std::min(count_, kWindow);
  if (n > 0) {
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < n; ++i) sum += silences_[i];
    const double mean = sum / static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i) squares += (silences_[i] - mean) * (silences_[i] - mean);
    out.mean = std::max(out.mean, mean);
    out.deviation = std::sqrt(squares / static_cast<double>(n));
  }
  out.deviation = std::max({out.deviation, kDeviationMin, kDeviationShareMin * out.mean});
  return out;
}

void FailureDetector::remember(Duration silence) { silences_[count_++ % kWindow] = silence.seconds(); }

}  // namespace p2pa::swarm
