#pragma once
// How much may be under way by a model of the path, its bandwidth and its shortest round trip: BBR (Cardwell et al.,
// "BBR: congestion-based congestion control", ACM Queue 2016; draft-ietf-ccwg-bbr §4.1 for the samples). Losses are
// no sign of congestion to it, unless they are many.

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>

#include "transport/udp/congestion_controller.hpp"

namespace p2pa::udp {

class Bbr final : public CongestionController {
 public:
  /// Round trips that the largest bandwidth is remembered for.
  static constexpr std::uint64_t kRoundsKept = 10;
  static constexpr Duration kLeastRttKept = seconds(10), kProbeRttTime = milliseconds(200);
  /// Of the bytes of a round trip: with more of them lost the window shrinks all the same.
  static constexpr double kLossMax = 0.2;

  explicit Bbr(std::size_t packet) : packet_(static_cast<double>(packet)) {}

  void sent(SentPacket& packet, std::size_t in_flight) override;
  void acknowledged(const SentPacket& packet, Instant now, const RttEstimator& rtt, std::size_t in_flight,
                    bool full) override;
  void lost(const SentPacket& packet, Instant now) override;
  void idle(std::size_t in_flight) override;
  void collapse() override;
  void set_packet(std::size_t bytes) override { packet_ = static_cast<double>(bytes); }
  std::size_t window() const override;
  std::size_t paced_window(Duration rtt) const override;

  /// Bytes a second; 0: no sample.
  double bandwidth() const { return bandwidths_.empty() ? 0 : bandwidths_.front().second; }

 private:
  /// kStartup -> kDrain -> kProbeBandwidth; from any of them to kProbeRtt and back.
  enum class Phase : std::uint8_t { kStartup, kDrain, kProbeBandwidth, kProbeRtt };

  bool app_limited() const { return app_limited_until_ > delivered_; }
  /// What the path holds.
  double product() const { return bandwidth() * least_rtt_.seconds(); }
  double gain() const;
  /// Without a ceiling, in bytes.
  double wanted_window() const;
  void sample(double bandwidth, bool limited);
  void begin_round(bool limited);
  void look_for_full_pipe();
  void bound_by_losses();
  void update_least_rtt(Instant now, Duration rtt);
  void update_phase(Instant now, std::size_t in_flight);

  double packet_;
  Phase phase_ = Phase::kStartup;
  // Delivery, of which each packet remembers how far it was.
  std::uint64_t delivered_ = 0, app_limited_until_ = 0;
  Instant delivered_at_{}, first_sent_at_{};
  std::deque<std::pair<std::uint64_t, double>> bandwidths_;  // by round, falling: the first is the largest
  Duration least_rtt_{};
  Instant least_rtt_at_{}, probe_rtt_end_ = kNever;
  // Round trips.
  std::uint64_t round_ = 0, round_end_ = 0;
  double round_delivered_ = 0, round_lost_ = 0;
  double full_bandwidth_ = 0;
  int full_rounds_ = 0;
  bool filled_ = false;
  std::size_t cycle_ = 0;
  Instant cycle_at_{};
  double ceiling_ = std::numeric_limits<double>::infinity();  // of the window, after many losses
};

}  // namespace p2pa::udp
