#pragma once
// Yamux: many streams on one ordered byte stream (spec: yamux/README.md).

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "p2pagents/limits.hpp"
#include "p2pagents/time.hpp"
#include "transport/mux/ahead_limit.hpp"
#include "transport/mux/engine.hpp"
#include "transport/mux/streams.hpp"
#include "transport/yamux/frame.hpp"

namespace p2pa::yamux {

inline constexpr std::string_view kProtocolId = "/yamux/1.0.0";
/// What either end may send on a stream before it hears of more.
inline constexpr std::uint32_t kWindowInitial = 256 * 1024;
/// What Limits::stream_window may widen it to.
inline constexpr std::uint32_t kWindowMax = 1u << 30;
/// Streams of ours at once: rust-libp2p closes a connection with more than 512, its own included.
inline constexpr std::uint32_t kOutboundStreamsMax = 256;
/// Answers (pongs, acknowledgements, credit, resets) that wait because the peer reads nothing; when it then
/// asks for one more it has lost us. Our own resets come on top: one for each stream that there may be.
inline constexpr std::size_t kAnswersMax = 4096;
/// Data of one frame while other streams wait.
inline constexpr std::size_t kFrameBytesShared = 16 * 1024;
/// Room that a data frame is begun in.
inline constexpr std::size_t kFrameRoomMin = kFrameHeaderSize + 512;
/// A round trip is measured that often on a connection that is in use.
inline constexpr Duration kMeasureInterval = seconds(30);
/// A ping follows so many bytes of streams, so that its answer confirms them; more often when somebody waits
/// for it, and so often within what bulk may be ahead (see mux::AheadLimit).
inline constexpr std::size_t kConfirmBytes = 256 * 1024, kConfirmBytesAsked = 16 * 1024;
inline constexpr std::uint64_t kConfirmationsAhead = 8;
/// Nothing confirmed for so long although bulk waits for it: a ping may have been dropped.
inline constexpr Duration kConfirmAgain = seconds(1);
/// Pings under way: go-yamux drops what is beyond.
inline constexpr std::size_t kPingsMax = 32;

struct Config {
  bool dialer = false;  ///< its streams have odd numbers
  Duration keep_alive = milliseconds(9500);  ///< zero: no pings but to measure
  Duration idle_timeout = seconds(30);
};

/// One end of one session: a machine between secured bytes and mux::Streams. Windows begin small and are
/// doubled while the reader keeps up with them, to Limits::stream_window each and connection_window
/// together. REQUIRES that streams and limits outlive it.
class Session final : public mux::Engine {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    /// fill() may have something.
    virtual void on_session_wakes() = 0;
  };

  Session(const Config& config, mux::Streams& streams, const Limits& limits, Owner& owner, Instant now);

  // --- the connection's side
  /// Takes plain bytes as they come. kProtocolViolation; kRateLimited: kAnswersMax.
  Result<void> receive(Instant now, ByteView bytes);
  /// Writes whole frames: answers first, then the streams in turn. Says how many bytes; none: nothing now.
  /// REQUIRES out.size() >= kFrameRoomMin.
  std::size_t fill(Instant now, MutableBytes out);
  Instant next_deadline() const;
  /// kConnectionLost: nothing was heard for idle_timeout.
  Result<void> on_deadline(Instant now);
  /// Says goodbye with a code: see fill().
  void go_away(std::uint32_t code);
  /// The code of the peer's goodbye.
  const std::optional<std::uint32_t>& gone() const { return gone_; }
  /// Bytes and ends of streams that were written and that no answer to a ping of ours confirms: whatever was
  /// written before a ping has arrived when its answer does.
  std::size_t unconfirmed() const { return static_cast<std::size_t>(written_ - confirmed_); }
  /// Has the peer confirm what was written by now, and what is written meanwhile.
  void ask_confirmation();
  /// A ping follows soon, unless so many are under way that one more says nothing new.
  void probe();
  Instant heard_at() const { return heard_at_; }
  Duration rtt() const { return rtt_; }
  Duration rtt_min() const { return rtt_min_; }
  Duration rtt_variance() const { return rtt_variance_; }

  // --- mux::Engine
  Result<void> open(mux::StreamState& stream) override;
  void give_credit(mux::StreamState& stream, std::size_t n) override;
  void stop(mux::StreamState& stream, std::uint64_t code) override;
  void reset(mux::StreamState& stream, std::uint64_t code) override;
  void forget_inbound() override { --inbound_; }
  void wake() override { owner_.on_session_wakes(); }

 private:
  struct Wire {  // a stream that is on the wire
    std::uint32_t id;
    mux::StreamState* stream;
    std::uint64_t send_credit = kWindowInitial;
    std::uint32_t receive_credit = kWindowInitial;  // the peer may send this much
    std::uint32_t window = kWindowInitial;          // what receive_credit is filled up to
    Instant window_moved{};
    std::uint64_t code = 0;  // of the peer's reset
    bool syn_due = false, ack_due = false;
    bool listed = false;  // in updates_
    bool end_sent = false, end_received = false;
    bool deaf = false;  // stop(): there is no word for it in Yamux
    bool over = false;
  };

  Wire* find(std::uint32_t id);
  bool opened_here(std::uint32_t id) const { return (id % 2 == 1) == config_.dialer; }

  Result<void> on_frame(const Frame& frame);
  Result<void> on_stream_frame(const Frame& frame);
  void list(Wire& wire);
  Wire* accept(std::uint32_t id);
  Result<void> on_data(Wire* wire, const Frame& frame);
  void on_window(Wire& wire, std::uint32_t credit);
  void on_body(ByteView part);
  void on_reset(Wire& wire, std::uint64_t code);
  void on_ping(const Frame& frame);
  void measured(Duration sample);
  Result<void> answer(const Frame& frame);
  /// Those that wait, for streams that are over as well.
  std::size_t answers_count() const { return answers_.size() + updates_.size(); }

  /// Credit that is worth a frame; 0: not yet.
  std::uint32_t credit_due(const Wire& wire) const;
  void widen(Wire& wire);
  bool confirmation_due() const;
  /// Looks whether bulk is too far ahead.
  void hold_bulk();
  std::size_t put_ping(MutableBytes out, std::size_t at);
  std::uint16_t take_flags(Wire& wire);
  std::size_t put(const Frame& frame, MutableBytes out, std::size_t at);
  std::size_t put_updates(MutableBytes out, std::size_t at);
  std::size_t put_data(mux::StreamState& stream, MutableBytes out, std::size_t at);
  void end_if_over(Wire& wire);
  void end(Wire& wire);
  /// Forgets the streams that are over. Not from inside a call of Streams.
  void settle();

  const Config config_;
  mux::Streams& streams_;
  const Limits& limits_;
  Owner& owner_;
  std::unordered_map<std::uint32_t, Wire> wires_;  // looked up, never walked
  std::uint32_t next_id_;
  std::uint32_t outbound_ = 0, inbound_ = 0;
  std::size_t widened_ = 0;  // windows beyond kWindowInitial, together

  std::array<std::uint8_t, kFrameHeaderSize> header_{};  // the frame that is arriving
  std::size_t header_size_ = 0;
  std::uint32_t body_left_ = 0;
  std::uint32_t body_stream_ = 0;
  bool body_ends_ = false;

  std::deque<Frame> answers_;           // pongs, resets, goodbye
  std::vector<std::uint32_t> updates_;  // streams that may owe credit or an acknowledgement
  std::vector<std::uint32_t> over_;
  std::optional<std::uint32_t> gone_;

  Instant now_, heard_at_;
  struct Ping {
    std::uint32_t value;
    Instant at;              // it left
    std::uint64_t written;  // before it
    std::uint64_t bulk;     // of these
  };
  std::vector<Ping> pings_;  // under way, oldest first
  bool ping_due_ = true;
  Instant measured_at_, pinged_at_;
  std::uint32_t ping_value_ = 0;
  std::uint64_t written_ = 0, confirmed_ = 0;  // bytes and ends of streams
  std::uint64_t written_at_ping_ = 0, bulk_at_ping_ = 0;  // the last one
  bool confirmation_asked_ = false;
  std::uint64_t bulk_written_ = 0, bulk_confirmed_ = 0;  // bytes of streams of that class
  mux::AheadLimit ahead_;
  bool bulk_held_ = false;
  Duration rtt_{}, rtt_min_{}, rtt_variance_{};
};

}  // namespace p2pa::yamux
