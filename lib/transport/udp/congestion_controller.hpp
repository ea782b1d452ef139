#pragma once
// How many bytes of a session may be under way, and how fast they leave.

#include <cstddef>
#include <memory>

#include "p2pagents/node.hpp"
#include "transport/udp/loss_recovery.hpp"

namespace p2pa::udp {

class CongestionController {
 public:
  virtual ~CongestionController() = default;

  /// A packet leaves that elicits an acknowledgement; so many bytes were under way before it.
  virtual void sent(SentPacket& packet, std::size_t in_flight) = 0;
  /// `in_flight`: with it. `full`: the window was what held the sender back.
  virtual void acknowledged(const SentPacket& packet, Instant now, const RttEstimator& rtt, std::size_t in_flight,
                            bool full) = 0;
  virtual void lost(const SentPacket& packet, Instant now) = 0;
  /// There is nothing to send though more might be under way.
  virtual void idle(std::size_t in_flight) = 0;
  /// Persistent congestion: from the smallest window on.
  virtual void collapse() = 0;
  /// Bytes of a full packet.
  virtual void set_packet(std::size_t bytes) = 0;

  virtual std::size_t window() const = 0;
  /// What the pacer takes for the window: it fills at 5/4 of it a round trip.
  virtual std::size_t paced_window(Duration rtt) const = 0;
};

std::unique_ptr<CongestionController> make_controller(CongestionControl kind, std::size_t packet);

}  // namespace p2pa::udp
