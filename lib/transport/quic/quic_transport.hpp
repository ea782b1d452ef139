#pragma once
// QUIC as the swarm sees it: it dials from whatever socket the node has for an address.

#include <functional>
#include <utility>

#include "transport/quic/endpoint.hpp"

namespace p2pa::quic {

class QuicTransport final : public Transport {
 public:
  /// kWouldBlock: one is being made.
  using SocketFor = std::move_only_function<Result<SocketId>(const IpEndpoint& remote)>;

  /// REQUIRES that the endpoint outlives it. `may_dial`: false where everything has to go another way.
  QuicTransport(Endpoint& endpoint, SocketFor socket_for, bool may_dial = true)
      : endpoint_(endpoint), socket_for_(std::move(socket_for)), may_dial_(may_dial) {}

  bool dials(const Multiaddr& address) const override { return may_dial_ && quic_endpoint(address).has_value(); }
  Result<p2pa::Connection*> dial(Instant now, const DialTarget& target) override {
    const auto socket = socket_for_(*quic_endpoint(target.address));
    if (!socket) return std::unexpected(socket.error());
    return endpoint_.dial(now, *socket, target);
  }
  bool poll_event(TransportEvent& out) override { return endpoint_.poll_event(out); }
  bool has_events() const override { return endpoint_.has_events(); }

 private:
  Endpoint& endpoint_;
  SocketFor socket_for_;
  const bool may_dial_;
};

}  // namespace p2pa::quic
