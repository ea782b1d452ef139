#pragma once
// Between the streams of one connection and the rate limits of the node: what may be sent, and what may be read.

#include <cstdint>
#include <memory>

#include "shaping/shaper.hpp"
#include "transport/mux/stream_table.hpp"

namespace p2pa::mux {

class MuxedConnection;

/// What a stream has while there are limits.
struct ShapedStream {
  ShapedStream(shaping::Claimant& owner, StreamState& stream)
      : out(owner, &stream, Direction::kOutbound), in(owner, &stream, Direction::kInbound) {}

  shaping::Claim out, in;
  std::size_t held = 0;  ///< the last so many bytes that arrived are not shown to the application yet
};

/// Outbound, a stream without tokens leaves the turn until there are some. Inbound, what arrived waits in the
/// receive buffer, and so, as with every reader that is slow, the peer runs out of credit: nothing is dropped.
class RateGate final : private shaping::Claimant {
 public:
  /// A port: what a stream can do again.
  class Host {
   public:
    virtual ~Host() = default;
    virtual void may_send(StreamState& stream) = 0;
    virtual void may_read(StreamState& stream) = 0;
    virtual void may_send_datagrams() = 0;
  };

  RateGate(shaping::Shaper& shaper, const MuxedConnection& connection, Host& host);
  ~RateGate() override;
  RateGate(const RateGate&) = delete;
  RateGate& operator=(const RateGate&) = delete;

  /// How much of what is unsent may go now.
  std::size_t sendable(StreamState& stream);
  /// It may send nothing: may_send() follows.
  void wait_to_send(StreamState& stream);
  void sent(StreamState& stream, std::size_t n);
  /// It has nothing to send any more.
  void leave_turn(StreamState& stream);
  bool waits_to_send(const StreamState& stream) const { return stream.shaped && stream.shaped->out.waiting(); }

  /// n bytes were put into the receive buffer. True: some are there to be read, or nothing came but the end.
  bool received(StreamState& stream, std::size_t n);
  /// What arrived is dropped.
  void dropped(StreamState& stream);
  static std::size_t held(const StreamState& stream) { return stream.shaped ? stream.shaped->held : 0; }

  void set_priority(StreamState& stream);
  void set_protocol(StreamState& stream);
  void forget(StreamState& stream);

  /// May a datagram of that size go? False: may_send_datagrams() follows.
  bool may_send_datagram(std::size_t size);
  /// One went, or came: what comes cannot be held back, and is missing to what can.
  void moved_datagram(Direction direction, std::size_t size);
  /// Nothing is sent any more.
  void close() { shaper_.cancel(datagrams_out_); }

 private:
  void on_tokens(shaping::Claim& claim) override;
  ShapedStream& shaped(StreamState& stream);
  shaping::Claim& placed(StreamState& stream, shaping::Claim& claim);
  bool show(StreamState& stream);

  shaping::Shaper& shaper_;
  const MuxedConnection& connection_;
  Host& host_;
  shaping::Claim datagrams_out_, datagrams_in_;
};

}  // namespace p2pa::mux
