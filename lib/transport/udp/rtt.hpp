#pragma once
// How long a packet and its acknowledgement take (RFC 9002 §5, §6.2.1).

#include "p2pagents/time.hpp"

namespace p2pa::udp {

inline constexpr Duration kAckDelayMax = milliseconds(25);
inline constexpr Duration kTimerGranularity = milliseconds(1);

class RttEstimator final {
 public:
  static constexpr Duration kInitial = milliseconds(333);

  /// `ack_delay`: how long the peer says that it waited.
  void sample(Duration latest, Duration ack_delay);
  bool sampled() const { return sampled_; }
  Duration smoothed() const { return smoothed_; }
  Duration variance() const { return variance_; }
  Duration least() const { return least_; }  ///< zero without a sample
  Duration latest() const { return latest_; }
  /// The probe time-out, without back-off.
  Duration probe_timeout() const;
  /// How far behind the newest acknowledged packet one is lost.
  Duration loss_delay() const;

 private:
  bool sampled_ = false;
  Duration smoothed_ = kInitial, variance_ = kInitial / 2, latest_ = kInitial;
  Duration least_{};
};

}  // namespace p2pa::udp
