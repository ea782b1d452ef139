#pragma once
// What was sent and is not acknowledged: what arrived, what is lost, and when to ask (RFC 9002 §6).

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "p2pagents/error.hpp"
#include "p2pagents/time.hpp"
#include "transport/udp/frame_codec.hpp"
#include "transport/udp/rtt.hpp"

namespace p2pa::udp {

/// A frame as far as it matters when its packet is acknowledged or lost.
struct SentFrame {
  enum class Kind : std::uint8_t {
    kStream,         ///< `id`, [offset, offset + size), and whether the end
    kReset,          ///< of stream `id`
    kStop,           ///< of stream `id`
    kMaxData,
    kMaxStreamData,  ///< of stream `id`
    kMaxStreams,
    kMessage,        ///< `id` of a reliable message, [offset, offset + size)
    kSkip,           ///< of message `id`
  };
  Kind kind;
  bool end = false;
  std::uint64_t id = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// How much of the session was delivered when a packet left (draft-ietf-ccwg-bbr §4.1).
struct DeliveryStamp {
  std::uint64_t delivered = 0;  ///< bytes
  Instant delivered_at{};
  Instant first_sent_at{};  ///< of those on whose delivery this is measured
  bool app_limited = false;
};

struct SentPacket {
  std::uint64_t number = 0;
  Instant at{};
  std::size_t size = 0;
  bool probe = false;  ///< of the path's MTU: its loss says nothing about congestion
  std::vector<SentFrame> frames;
  DeliveryStamp delivery{};
};

/// The packets of a session that elicit an acknowledgement. Numbers rise by one, in the order of sending.
class LossRecovery final {
 public:
  static constexpr std::uint64_t kReordered = 3;  ///< packets that may overtake one

  struct Outcome {
    std::vector<SentPacket> acknowledged, lost;
  };

  /// Takes the number of the next packet.
  std::uint64_t take_number() { return next_number_++; }
  std::uint64_t next_number() const { return next_number_; }
  /// REQUIRES a number that was taken, larger than those before.
  void sent(SentPacket packet);
  /// kProtocolViolation: of a packet that was never sent. The rtt is sampled.
  Result<Outcome> acknowledged(const AckFrame& ack, Instant now, RttEstimator& rtt);

  /// When on_deadline() is to be called.
  Instant next_deadline(const RttEstimator& rtt) const;
  /// Loses what is overdue. Nothing: the probe time-out has passed, and probes_due() packets may go at once.
  std::vector<SentPacket> on_deadline(Instant now, const RttEstimator& rtt);
  int probes_due() const { return probes_due_; }
  void probe_sent() { probes_due_ -= probes_due_ > 0; }
  /// The oldest packet in flight, which a probe repeats. Null: none.
  const SentPacket* oldest() const;
  /// Probe time-outs one behind the other without an acknowledgement.
  int timeouts() const { return timeouts_; }

  std::size_t in_flight() const { return in_flight_; }  ///< bytes
  std::optional<std::uint64_t> largest_acknowledged() const { return largest_acknowledged_; }

 private:
  struct Entry {
    SentPacket packet;
    bool gone = false;  // acknowledged or lost
  };

  std::deque<Entry>::iterator find(std::uint64_t number);
  SentPacket take(Entry& entry);
  void forget_gone();
  void detect(Instant now, const RttEstimator& rtt, std::vector<SentPacket>& lost);

  std::deque<Entry> packets_;  // by number
  std::uint64_t next_number_ = 0;
  std::optional<std::uint64_t> largest_acknowledged_;
  std::size_t in_flight_ = 0;
  Instant loss_at_ = kNever;
  Instant last_sent_{};
  int timeouts_ = 0, probes_due_ = 0;
};

/// RFC 9002 §7.6: nothing arrived for so long that the window says nothing any more.
bool persistent_congestion(const LossRecovery::Outcome& outcome, const RttEstimator& rtt);

}  // namespace p2pa::udp
