#pragma once
// How many bytes may be under way: CUBIC (RFC 9438) with the recovery of RFC 9002 §7.

#include <cstddef>
#include <cstdint>

#include "p2pagents/time.hpp"
#include "transport/udp/congestion_controller.hpp"

namespace p2pa::udp {

class Cubic final : public CongestionController {
 public:
  /// `packet`: bytes of a full one.
  explicit Cubic(std::size_t packet);

  /// `full`: the window was what held the sender back; otherwise it does not grow.
  void acknowledged(std::size_t bytes, Instant sent_at, Instant now, Duration rtt, bool full);
  /// A packet is lost. Those that were under way when the window shrank shrink it no more.
  void lost(Instant sent_at, Instant now);
  /// Persistent congestion: from the smallest window on.
  void collapse() override;
  void set_packet(std::size_t bytes) override { packet_ = static_cast<double>(bytes); }
  std::size_t window() const override { return static_cast<std::size_t>(window_); }

  // CongestionController, the rest
  void sent(SentPacket&, std::size_t) override {}
  void acknowledged(const SentPacket& packet, Instant now, const RttEstimator& rtt, std::size_t, bool full) override {
    acknowledged(packet.size, packet.at, now, rtt.smoothed(), full);
  }
  void lost(const SentPacket& packet, Instant now) override { lost(packet.at, now); }
  void idle(std::size_t) override {}
  std::size_t paced_window(Duration) const override { return window(); }

 private:
  bool recovering(Instant sent_at) const { return sent_at <= recovery_begin_; }
  void begin_epoch(Instant now);
  void grow(double bytes, Instant now, Duration rtt);

  // In bytes, all of them.
  double packet_;
  double window_;
  double threshold_;          // of slow start
  double peak_ = 0;           // W_max
  double reno_ = 0;           // W_est
  double offset_seconds_ = 0; // K
  bool in_epoch_ = false;
  Instant epoch_{};
  Instant heard_at_{};        // the last acknowledgement
  Instant recovery_begin_{INT64_MIN};
};

}  // namespace p2pa::udp
