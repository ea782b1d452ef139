#pragma once
// A connection in memory with both its ends: authenticated by fiat, reliable, in virtual time. What a
// protocol's test and a world of thousands of nodes need of a connection, without cryptography.

#include "transport/memory/end.hpp"
#include "transport/memory/link.hpp"

namespace p2pa::memory {

/// Neither copied nor moved: ends and links know each other.
class Pair final {
 public:
  enum Side : std::uint8_t { kDialer = 0, kListener = 1 };

  Pair(const Config& config, const PeerId& dialer, const PeerId& listener, ConnectionId dialer_id = 1,
       ConnectionId listener_id = 1);
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  End& end(Side side) { return side == kDialer ? dialer_ : listener_; }
  bool poll_event(Side side, ConnectionEvent& out) { return end(side).poll_event(out); }

  /// What was said since the last time begins its way, what has arrived becomes events.
  void advance(Instant now);
  /// When advance() has something to do.
  Instant next_deadline() const;
  /// Both ends find that the other fell silent.
  void lose();

 private:
  Link to_listener_, to_dialer_;
  End dialer_, listener_;
};

}  // namespace p2pa::memory
