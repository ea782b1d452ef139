#include "swarm/quality.hpp"

#include <algorithm>
#include <cmath>

#include "base/assert.hpp"

namespace p2pa::swarm {
namespace {

/// Nothing that is sent is lost without end.
constexpr double kLossMax = 0.9;

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : std::min(1.0, static_cast<double>(part) / static_cast<double>(whole));
}

}  // namespace

void Quality::sample(Instant now, const ConnectionStats& stats) {
  rtt_ = stats.rtt;  // the transport's own averages
  jitter_ = stats.rtt_variance;
  if (!sampled_at_) {
    sampled_at_ = now;
    last_ = stats;
    return;
  }
  const Duration passed = now - *sampled_at_;
  if (passed < kSampleMin) return;
  const double weight = 1 - std::exp(-passed.seconds() / kMemory.seconds());
  const std::uint64_t bytes = stats.bytes_sent - last_.bytes_sent + (stats.bytes_received - last_.bytes_received);
  throughput_ += weight * (static_cast<double>(bytes) / passed.seconds() - throughput_);
  // Where nothing was sent nothing is learnt.
  if (const std::uint64_t sent = stats.packets_sent - last_.packets_sent; sent > 0) {
    loss_ += weight * (share(stats.packets_repeated - last_.packets_repeated, sent) - loss_);
  }
  sampled_at_ = now;
  last_ = stats;
}

Duration Quality::cost() const {
  const Duration rtt = rtt_.ns > 0 ? rtt_ : kUnknownRtt;
  // RFC 9002 §6.2.1: what is lost is sent again after a probe time-out.
  const double again = (rtt + jitter_ * 4).seconds() * (1 / (1 - std::min(loss_, kLossMax)) - 1);
  return rtt + jitter_ + Duration{static_cast<std::int64_t>(again * 1e9)};
}

double Quality::score() const { return kUnknownRtt.seconds() / (kUnknownRtt.seconds() + cost().seconds()); }

std::size_t choose_peer(Rng& rng, std::span<const Choice> choices) {
  P2PA_ASSERT(!choices.empty());
  if (choices.size() == 1) return 0;
  const auto first = static_cast<std::size_t>(rng.below(choices.size()));
  auto second = static_cast<std::size_t>(rng.below(choices.size() - 1));
  if (second >= first) ++second;
  return choices[second].wait() < choices[first].wait() ? second : first;
}

}  // namespace p2pa::swarm
