#pragma once
// The port to what carries the streams of one connection: QUIC, or Yamux.

#include <cstddef>
#include <cstdint>

#include "p2pagents/error.hpp"

namespace p2pa::mux {

struct StreamState;

/// Streams calls it; what happens on the wire comes back by the functions of Streams' engine side.
class Engine {
 public:
  virtual ~Engine() = default;

  /// Opens a stream of ours and gives it its wire_id. kLimitStreams: the peer takes no more, and
  /// Streams::on_streams_available() follows.
  virtual Result<void> open(StreamState& stream) = 0;
  /// n received bytes were read or dropped: the peer may send as many again, on this stream too while its
  /// direction is open.
  virtual void give_credit(StreamState& stream, std::size_t n) = 0;
  /// We read no more of it.
  virtual void stop(StreamState& stream, std::uint64_t code) = 0;
  /// Aborts both directions.
  virtual void reset(StreamState& stream, std::uint64_t code) = 0;
  /// Nothing of a stream of the peer's is left: it may open another.
  virtual void forget_inbound() = 0;
  /// There may be something to send.
  virtual void wake() = 0;
};

}  // namespace p2pa::mux
