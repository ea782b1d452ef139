#pragma once
#include <cstdint>
#include <map>
#include <optional>

#include "sim/tcp_segment.hpp"

namespace p2pa::sim {

/// The receiving half of a connection: puts bytes in order, each once.
class TcpReceiver final {
 public:
  /// `next`: the sequence number of the first byte.
  explicit TcpReceiver(std::uint64_t next) : next_(next) {}

  /// Appends to `out` what is in order now. Drops what it has, and what is beyond kTcpWindow.
  void receive(const TcpSegment& segment, Bytes& out);
  /// All before it has arrived.
  std::uint64_t next() const { return next_; }
  /// Has the peer's end been reached?
  bool ended() const { return ended_; }
  bool has_gaps() const { return !runs_.empty(); }
  /// A segment that begins here could be one of this connection.
  bool in_window(std::uint64_t sequence) const {
    return sequence >= next_ && sequence < next_ + kTcpWindow;
  }
  /// Writes into a segment what arrived: first the run that grew last (RFC 2018 §4), then the
  /// latest others.
  void acknowledge(TcpSegment& out) const;

 private:
  void keep(std::uint64_t begin, ByteView bytes);
  void advance(ByteView bytes, Bytes& out);

  std::uint64_t next_;
  std::optional<std::uint64_t> end_;  ///< where the FIN stands
  bool ended_ = false;
  std::map<std::uint64_t, Bytes> runs_;  ///< out of order, by their beginnings; none touch
  std::uint64_t grew_last_ = 0;          ///< the beginning of a run
};

}  // namespace p2pa::sim
