#pragma once
// Spreads a window over a round trip (RFC 9002 §7.7).

#include <cstddef>
#include <cstdint>

#include "p2pagents/time.hpp"

namespace p2pa::udp {

/// A bucket of bytes that fills at 5/4 of window by round trip. It holds the initial window, or what the path
/// takes in kBurstTime: on a short one a system call should carry more than ten packets.
class Pacer final {
 public:
  static constexpr std::size_t kBurst = 14'720;  ///< bytes that need no pacing: the initial window
  static constexpr std::size_t kBurstMax = 65'536;
  static constexpr Duration kBurstTime = milliseconds(1);

  /// From when on a packet may go; now or earlier: at once.
  Instant ready_at(Instant now, std::size_t window, Duration rtt) const;
  void sent(std::size_t bytes, Instant now, std::size_t window, Duration rtt);

 private:
  std::int64_t level(Instant now, std::size_t window, Duration rtt) const;

  std::int64_t bytes_ = kBurst;  // below zero: what went ahead of its time
  Instant at_{};
};

}  // namespace p2pa::udp
