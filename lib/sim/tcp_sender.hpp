#pragma once
#include <cstdint>
#include <deque>

#include "p2pagents/time.hpp"
#include "sim/tcp_segment.hpp"
#include "sim/tcp_window.hpp"

namespace p2pa::sim {

/// The sending half of a connection: keeps what is not acknowledged, sends what is lost again, and as much
/// at once as its TcpWindow says. A segment is lost when one that was sent three transmissions later has
/// arrived (RFC 9002 §6.1.1, close to what RFC 8985 does by time), or all are when nothing was heard for the
/// retransmission time-out (RFC 6298).
class TcpSender final {
 public:
  static constexpr std::size_t kBufferMax = 512 * 1024;
  static constexpr std::uint64_t kReorderingMax = 3;
  static constexpr Duration kTimeoutInitial = seconds(1), kTimeoutMax = seconds(60);
  /// Least distance of the time-out from the mean RTT, as Linux has it: an RTT that never varies
  /// would come too late otherwise.
  static constexpr Duration kTimeoutMargin = milliseconds(200);
  /// Time-outs one after the other; the next one ends the connection.
  static constexpr int kTimeoutsMax = 10;

  /// `first`: the sequence number of the first byte. `segment_max`: payload bytes.
  TcpSender(std::uint64_t first, std::size_t segment_max);

  bool fits(std::size_t size) const { return buffer_.size() + size <= kBufferMax; }
  void write(ByteView bytes) { buffer_.insert(buffer_.end(), bytes.begin(), bytes.end()); }
  /// The end follows what was written.
  void finish() { finishing_ = true; }
  /// Did the peer acknowledge everything, with the end?
  bool finished() const { return end_sent_ && sent_.empty(); }

  /// An RTT that was seen elsewhere: in the handshake.
  void on_rtt(Duration rtt);
  /// False: it says nothing new.
  bool on_ack(Instant now, const TcpSegment& segment);
  /// False: the peer is silent for too long.
  bool on_deadline(Instant now);
  Instant next_deadline() const { return sent_.empty() ? kNever : waits_since_ + timeout(); }
  /// The next segment to send now: bytes or the end. False: none.
  bool poll(Instant now, TcpSegment& out);
  std::uint64_t next() const { return next_; }

 private:
  struct Sent {
    std::uint64_t sequence;
    std::size_t size;
    bool end;                    ///< the FIN
    std::uint64_t transmission;  ///< its number, of all that were sent
    Instant at;
    bool again = false, arrived = false, lost = false;

    std::uint64_t next() const { return sequence + size + (end ? 1 : 0); }
  };

  Duration timeout() const;
  bool may_send(std::size_t size) const;
  void transmit(Instant now, Sent& sent, TcpSegment& out);
  void note_arrived(Instant now, Sent& sent, std::size_t& grown);
  void drop_acknowledged();
  void detect_losses();
  void mark_lost(Sent& sent);

  const std::size_t segment_max_;
  std::deque<std::uint8_t> buffer_;  ///< from buffer_begin_ on: sent and to send
  std::uint64_t buffer_begin_, next_;
  std::deque<Sent> sent_;  ///< not acknowledged by the cumulative number, in its order
  bool finishing_ = false, end_sent_ = false;

  std::uint64_t transmissions_ = 0, newest_arrived_ = 0;
  std::uint64_t shrunk_at_ = 0;  ///< the transmission; what was sent before changes the window no more
  std::size_t in_flight_ = 0, lost_count_ = 0;
  TcpWindow window_;

  Duration rtt_{}, rtt_variation_{}, rtt_min_{};
  int timeouts_ = 0;
  Instant waits_since_{};  ///< or heard something new
};

}  // namespace p2pa::sim
