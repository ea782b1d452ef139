#pragma once
#include <deque>
#include <optional>

#include "sim/tcp_receiver.hpp"
#include "sim/tcp_sender.hpp"
#include "transport/transport.hpp"

namespace p2pa::sim {

/// One end of a TCP connection (RFC 9293): fed with segments, calls and time, drained of segments and
/// of what its owner shall hear. Knows no addresses. There is no TIME-WAIT: the sequence numbers of
/// connections lie so far apart that an old segment fits in none.
class TcpConnection final {
 public:
  /// A SYN goes out after 0, 1, 3, 7, … s; the connection fails when the last is not answered.
  static constexpr Duration kSynTimeout = seconds(1);
  static constexpr int kSynsMax = 7;
  /// How long one segment that came in order waits for a second one, or for something to send, before it is
  /// acknowledged (RFC 9293 §3.8.6.3; as long as on Linux).
  static constexpr Duration kAckDelay = milliseconds(40);
  /// How long who finished, and was acknowledged, waits for the peer's end without anything new.
  static constexpr Duration kLingerTime = seconds(60);
  /// Details of errors: errno of Linux, as a real driver has them.
  static constexpr std::uint64_t kReset = 104, kTimedOut = 110, kRefused = 111;

  /// What the owner hears: kAccepted, kConnected, kBytes, kEnd, kWritten or kLost.
  struct Event {
    SocketEvent::Kind kind;
    Bytes bytes{};
    Error error{Code::kOk, 0, ""};
  };

  /// Dials: says kConnected or kLost. `sequence`: the initial sequence number; `segment_max`: bytes.
  TcpConnection(Instant now, std::uint64_t sequence, std::size_t segment_max);
  /// Answers a SYN: says kAccepted when the dialer answered again, or nothing at all.
  TcpConnection(Instant now, std::uint64_t sequence, std::size_t segment_max,
                const TcpSegment& syn);

  void on_segment(Instant now, const TcpSegment& segment);
  void on_deadline(Instant now);
  /// Answered by kWritten once the send buffer has room for it. REQUIRES established(), and that the
  /// write before this one was answered.
  void write(ByteView bytes);
  /// Sends the end after what was written, and drops what comes. The owner hears nothing more.
  void finish();
  /// Resets the peer's end. The owner hears nothing more.
  void reset();

  bool poll_segment(Instant now, TcpSegment& out);
  bool poll_event(Event& out);
  Instant next_deadline() const;

  /// Did the owner hear of it, or will it now?
  bool established() const { return state_ == State::kEstablished; }
  /// Nothing more will come of it, once both polls are empty.
  bool over() const {
    return state_ == State::kOver || (sender_.finished() && receiver_ && receiver_->ended());
  }

 private:
  enum class State : std::uint8_t { kSynSent, kSynReceived, kEstablished, kOver };

  void on_answer(Instant now, const TcpSegment& segment);
  /// False: the segment does not belong here.
  bool on_handshake_end(Instant now, const TcpSegment& segment);
  void receive(Instant now, const TcpSegment& segment);
  void owe_ack(Instant now, bool at_once);
  void establish(Instant now, SocketEvent::Kind kind);
  void lose(Code code, std::uint64_t detail, const char* why);
  void tell(Event event) {
    if (!finishing_) events_.push_back(std::move(event));
  }

  State state_;
  const std::uint64_t first_;  ///< the initial sequence number: of our SYN
  TcpSender sender_;
  std::optional<TcpReceiver> receiver_;  ///< once the peer's SYN came
  Bytes waiting_;                        ///< of a write, for room in the send buffer
  std::deque<Event> events_;

  bool syn_due_ = true, ack_due_ = false, finishing_ = false;
  std::optional<std::uint64_t> reset_due_;  ///< with this sequence number
  int syns_ = 0;
  Instant began_, syn_deadline_ = kNever, ack_deadline_ = kNever, linger_deadline_ = kNever;
};

}  // namespace p2pa::sim
