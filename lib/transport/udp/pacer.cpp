#include "transport/udp/pacer.hpp"

#include <algorithm>

namespace p2pa::udp {
namespace {

constexpr std::int64_t kGainNumerator = 5, kGainDenominator = 4;

/// What a window is in so long a time, of the round trip.
double share_of(std::size_t window, Duration time, Duration rtt) {
  const double share = static_cast<double>(time.ns) / static_cast<double>(std::max<std::int64_t>(rtt.ns, 1));
  return share * static_cast<double>(window) * kGainNumerator / kGainDenominator;
}

}  // namespace

std::int64_t Pacer::level(Instant now, std::size_t window, Duration rtt) const {
  const double burst = share_of(window, std::min(kBurstTime, rtt), rtt);
  const auto full = static_cast<std::int64_t>(std::clamp<double>(burst, kBurst, kBurstMax));
  const Duration passed = now - at_;
  if (passed.ns <= 0) return bytes_;
  const double fresh = std::min(share_of(window, passed, rtt), static_cast<double>(full - std::min(full, bytes_)));
  return bytes_ + static_cast<std::int64_t>(fresh);
}

Instant Pacer::ready_at(Instant now, std::size_t window, Duration rtt) const {
  const std::int64_t bytes = level(now, window, rtt);
  if (bytes > 0) return now;
  const double missing = static_cast<double>(1 - bytes) * kGainDenominator / kGainNumerator;
  const double share = missing / static_cast<double>(std::max<std::size_t>(window, 1));
  return now + Duration{static_cast<std::int64_t>(share * static_cast<double>(rtt.ns)) + 1};
}

void Pacer::sent(std::size_t bytes, Instant now, std::size_t window, Duration rtt) {
  bytes_ = level(now, window, rtt) - static_cast<std::int64_t>(bytes);
  at_ = now;
}

}  // namespace p2pa::udp
