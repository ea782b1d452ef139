#include "transport/memory/pair.hpp"

#include <algorithm>
#include <string>

namespace p2pa::memory {

namespace {

/// /memory/<number> of an end; made up, but a multiaddr like every other.
Multiaddr address(ConnectionId id, Pair::Side side) {
  const auto parsed = Multiaddr::parse("/memory/" + std::to_string(2 * id + side));
  return parsed ? *parsed : Multiaddr{};
}

}  // namespace

Pair::Pair(const Config& config, const PeerId& dialer, const PeerId& listener, ConnectionId dialer_id,
           ConnectionId listener_id)
    : to_listener_(config.delay, config.segment_bytes_max),
      to_dialer_(config.delay, config.segment_bytes_max),
      dialer_({dialer_id, listener, address(dialer_id, kDialer), address(listener_id, kListener), true},
              config, to_listener_),
      listener_({listener_id, dialer, address(listener_id, kListener), address(dialer_id, kDialer), false},
                config, to_dialer_) {}

void Pair::advance(Instant now) {
  to_listener_.depart(now);
  to_dialer_.depart(now);
  Item item;
  while (to_listener_.arrive(now, item)) listener_.handle(std::move(item));
  while (to_dialer_.arrive(now, item)) dialer_.handle(std::move(item));
}

Instant Pair::next_deadline() const {
  return std::min(to_listener_.next_arrival(), to_dialer_.next_arrival());
}

void Pair::lose() {
  dialer_.lose();
  listener_.lose();
}

}  // namespace p2pa::memory
