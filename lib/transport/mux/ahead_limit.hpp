#pragma once
// How far bulk may run ahead of what the peer has confirmed.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "p2pagents/time.hpp"

namespace p2pa::mux {

/// What is on its way and not confirmed waits somewhere: in this system's buffers, in a router, in the peer's.
/// Beyond what the path holds it carries nothing, and is in front of whatever is more urgent. So the bulk class
/// stops at twice that: the fastest delivery of late, over the shortest round trip, as BBR has it
/// (draft-ietf-ccwg-bbr §4). The other classes are not held.
class AheadLimit final {
 public:
  /// Always allowed, and what a new connection begins with, in bytes.
  static constexpr std::uint64_t kFloor = 192 * 1024;

  /// So many bytes were confirmed since the connection began. `rtt_min`: the shortest so far.
  void on_confirmed(Instant now, std::uint64_t total, Duration rtt_min) {
    const Duration passed = now - since_;
    if (passed < std::max(rtt_min, kRoundMin)) return;
    const auto bytes = static_cast<double>(total - total_then_);
    note(bytes * static_cast<double>(rtt_min.ns) / static_cast<double>(passed.ns));
    since_ = now;
    total_then_ = total;
    held_ = false;
  }

  /// Bytes.
  std::uint64_t most() const { return most_; }
  /// Is so much too much? A round in which it was says how fast the path is, others only how fast we were.
  bool holds(std::uint64_t unconfirmed) {
    const bool holds = unconfirmed >= most_;
    held_ = held_ || holds;
    return holds;
  }

 private:
  static constexpr Duration kRoundMin = milliseconds(1);
  static constexpr std::size_t kRounds = 8;  // of which the fastest counts
  static constexpr double kGain = 2;         // a round that doubles what the path can, finds out
  static constexpr double kMost = 1e12;

  /// `held`: what the path took within the shortest round trip.
  void note(double held) {
    if (held_) {
      rounds_[at_++ % kRounds] = held;
    } else {  // the application paused: it may be faster than that
      double& last = rounds_[at_ % kRounds];
      last = std::max(last, held);
    }
    const double path = *std::max_element(rounds_.begin(), rounds_.end());
    most_ = std::max(kFloor, static_cast<std::uint64_t>(std::min(kGain * path, kMost)));
  }

  Instant since_{};
  std::uint64_t total_then_ = 0, most_ = kFloor;
  std::array<double, kRounds> rounds_{};
  std::size_t at_ = 0;
  bool held_ = false;
};

}  // namespace p2pa::mux
