#pragma once
// The streams of a UDP session: their frames, credit, and what is sent again (docs/wire/udp.md §frames).

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "p2pagents/limits.hpp"
#include "transport/mux/streams.hpp"
#include "transport/udp/handshake_codec.hpp"
#include "transport/udp/loss_recovery.hpp"
#include "transport/udp/packet_builder.hpp"
#include "transport/udp/reassembly.hpp"

namespace p2pa::udp {

class StreamEngine final : public mux::Engine {
 public:
  /// Whom to wake when there is something to send.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_engine_wakes() = 0;
  };

  /// REQUIRES that streams, limits and owner outlive it.
  StreamEngine(bool dialer, mux::Streams& streams, const Limits& limits, Owner& owner);

  /// What we let the peer send at first.
  static Parameters parameters_of(const Limits& limits);
  /// What the peer lets us.
  void start(const Parameters& theirs);

  // mux::Engine
  Result<void> open(mux::StreamState& stream) override;
  void give_credit(mux::StreamState& stream, std::size_t n) override;
  void stop(mux::StreamState& stream, std::uint64_t code) override;
  void reset(mux::StreamState& stream, std::uint64_t code) override;
  void forget_inbound() override;
  void wake() override { owner_.on_engine_wakes(); }

  /// What arrives. kProtocolViolation: the session ends. False: it cannot be kept now, and its packet did
  /// as good as not arrive.
  Result<bool> on_stream(const StreamFrame& frame);
  Result<void> on_reset(const ResetFrame& frame);
  Result<void> on_stop(const StopFrame& frame);
  Result<void> on_max_stream_data(const MaxStreamDataFrame& frame);
  void on_max_data(const MaxDataFrame& frame);
  void on_max_streams(const MaxStreamsFrame& frame);

  /// What became of frames that fill() put into packets.
  void on_acknowledged(const SentFrame& frame);
  void on_lost(const SentFrame& frame);

  void fill(PacketBuilder& packet);
  /// fill() would put something into an empty packet.
  bool pending() const;
  /// Reports streams that are over; not within a call of Streams.
  void settle();

 private:
  enum class End : std::uint8_t { kOpen, kSent, kLost, kAcknowledged };

  struct Wire {
    std::uint64_t id = 0;
    mux::StreamState* stream = nullptr;
    // Our direction.
    std::uint64_t credit = 0;  // the offset that the peer allows
    RangeSet acknowledged, lost;
    std::uint64_t arrived_to = 0;  // all before it was acknowledged
    End end = End::kOpen;
    std::optional<ResetFrame> aborted;
    bool sending_over = false;
    // The peer's.
    Reassembly reassembly;
    std::uint64_t highest = 0;  // the end of what came
    std::uint64_t allowed = 0;  // the offset that we allowed
    std::uint64_t delivered = 0, consumed = 0;  // to the application, and by it
    std::optional<std::uint64_t> final_size;
    std::uint64_t stop_code = 0;
    bool deaf = false;  // whatever comes is dropped
    bool receiving_over = false;
    // What is to be sent.
    bool reset_due = false, stop_due = false, credit_due = false;
    bool listed = false, repeating = false;
    bool over = false;
  };

  bool ours(std::uint64_t id) const { return (id % 2 == 0) == dialer_; }
  Wire* find(std::uint64_t id);
  /// The stream of a frame; null: it is over. kProtocolViolation: there can be no such stream.
  Result<Wire*> reach(std::uint64_t id);
  void accept(std::uint64_t id);
  /// Counts what came up to `end` against the credit.
  Result<void> extend(Wire& wire, std::uint64_t end);
  void deliver(Wire& wire, ByteView bytes);
  void finish_receiving(Wire& wire);
  void cut_off(Wire& wire, std::uint64_t code);
  void list(Wire& wire);
  void repeat(Wire& wire);
  void end_if_over(Wire& wire);

  void put_connection_frames(PacketBuilder& packet);
  void put_control(PacketBuilder& packet);
  void put_repeats(PacketBuilder& packet);
  bool put_lost(Wire& wire, PacketBuilder& packet);
  void put_fresh(PacketBuilder& packet);

  const bool dialer_;
  mux::Streams& streams_;
  const Limits& limits_;
  Owner& owner_;
  std::map<std::uint64_t, Wire> wires_;  // by id: addresses stay
  std::deque<std::uint64_t> control_, repeats_;  // each once
  std::vector<std::uint64_t> over_;
  Parameters theirs_;
  std::uint64_t opened_ = 0;                          // by us
  std::uint64_t accepted_ = 0, inbound_allowed_ = 0;  // by the peer
  std::uint64_t sent_ = 0;                            // bytes on all streams, against theirs_.data
  std::uint64_t received_ = 0, allowed_ = 0, consumed_ = 0;
  bool max_data_due_ = false, max_streams_due_ = false;
};

}  // namespace p2pa::udp
