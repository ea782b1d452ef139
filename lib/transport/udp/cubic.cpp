#include "transport/udp/cubic.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace p2pa::udp {
namespace {

constexpr double kC = 0.4;     // packets by cubic second
constexpr double kBeta = 0.7;  // of the window stays
constexpr double kPacketsInitial = 10, kPacketsMin = 2;
// While the estimate of Reno is below the old peak (RFC 9438 §4.3).
constexpr double kRenoSlope = 3 * (1 - kBeta) / (1 + kBeta);

}  // namespace

Cubic::Cubic(std::size_t packet)
    : packet_(static_cast<double>(packet)),
      window_(kPacketsInitial * packet_),
      threshold_(std::numeric_limits<double>::infinity()) {}

void Cubic::acknowledged(std::size_t bytes, Instant sent_at, Instant now, Duration rtt, bool full) {
  // Nor does the time count in which nothing, or less than the window, was under way (§5.8): the curve would
  // be far ahead of what the path was seen to take.
  const Instant before = std::exchange(heard_at_, now);
  epoch_ = epoch_ + (full ? std::max(Duration{}, sent_at - before) : now - before);
  if (!full || recovering(sent_at)) return;
  const auto n = static_cast<double>(bytes);
  if (window_ < threshold_) {
    window_ += n;
    return;
  }
  grow(n, now, rtt);
}

void Cubic::begin_epoch(Instant now) {
  in_epoch_ = true;
  epoch_ = now;
  reno_ = window_;
  peak_ = std::max(peak_, window_);
  offset_seconds_ = std::cbrt((peak_ - window_) / packet_ / kC);
}

void Cubic::grow(double bytes, Instant now, Duration rtt) {
  if (!in_epoch_) begin_epoch(now);
  const double t = (now - epoch_ + rtt).seconds() - offset_seconds_;
  const double target = std::clamp(peak_ + kC * t * t * t * packet_, window_, 1.5 * window_);
  reno_ += (reno_ < peak_ ? kRenoSlope : 1.0) * packet_ * bytes / window_;
  window_ += (target - window_) * bytes / window_;
  window_ = std::max(window_, reno_);
}

void Cubic::lost(Instant sent_at, Instant now) {
  if (recovering(sent_at)) return;
  recovery_begin_ = now;
  // Fast convergence (§4.7): who has less than before leaves room for others.
  peak_ = window_ < peak_ ? window_ * (1 + kBeta) / 2 : window_;
  window_ = threshold_ = std::max(window_ * kBeta, kPacketsMin * packet_);
  in_epoch_ = false;
}

void Cubic::collapse() {
  window_ = kPacketsMin * packet_;
  in_epoch_ = false;
}

}  // namespace p2pa::udp
