#pragma once
#include <cstddef>

#include "p2pagents/time.hpp"

namespace p2pa::sim {

/// How much of a TCP connection may be under way: slow start, then CUBIC (RFC 9438), as most of the world's
/// TCP has it, without HyStart. Where CUBIC is slower than Reno would be, it is as fast as that.
class TcpWindow final {
 public:
  static constexpr double kInitial = 10;  ///< segments, RFC 6928

  /// `segment`: bytes.
  explicit TcpWindow(std::size_t segment) : segment_(static_cast<double>(segment)) {}

  std::size_t bytes() const { return static_cast<std::size_t>(window_ * segment_); }
  /// So many bytes arrived while the window was in use. `rtt`: the mean.
  void on_arrival(Instant now, std::size_t size, Duration rtt);
  /// The window was not what held the sender back: this time does not count (RFC 9438 §5.8).
  void on_idle(Duration time) { epoch_ = epoch_ + time; }
  /// What was under way when a loss was noticed: once for all that was lost of one window.
  void on_loss(std::size_t in_flight);
  /// Nothing was heard for the retransmission time-out. `again`: nor for the one before.
  void on_timeout(std::size_t in_flight, bool again);

 private:
  void begin_epoch(Instant now);
  void shrink(std::size_t in_flight);

  // Of the window and all like it: segments.
  const double segment_;
  double window_ = kInitial;
  double threshold_ = 1e9;  ///< where slow start ends
  double peak_ = 0;         ///< W_max: where the last loss was
  double reno_ = 0;         ///< W_est: what Reno would have now
  double seconds_to_peak_ = 0;  ///< K
  bool in_epoch_ = false;       ///< since the last loss, once slow start is over
  Instant epoch_{};
};

}  // namespace p2pa::sim
