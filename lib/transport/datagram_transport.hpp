#pragma once
// What runs over UDP as the swarm sees it: it dials from whatever socket the node has for an address.

#include <functional>
#include <optional>
#include <utility>

#include "transport/transport.hpp"

namespace p2pa {

/// quic::Endpoint or udp::Endpoint as a Transport.
template <class Endpoint>
class DatagramTransport final : public Transport {
 public:
  /// Where an address of this transport's leads; empty for any other address.
  using EndpointOf = std::optional<IpEndpoint> (*)(const Multiaddr&);
  /// kWouldBlock: one is being made.
  using SocketFor = std::move_only_function<Result<SocketId>(const IpEndpoint& remote)>;

  /// REQUIRES that the endpoint outlives it. `may_dial`: false where everything has to go another way.
  DatagramTransport(Endpoint& endpoint, EndpointOf endpoint_of, SocketFor socket_for, bool may_dial = true)
      : endpoint_(endpoint), endpoint_of_(endpoint_of), socket_for_(std::move(socket_for)), may_dial_(may_dial) {}

  bool dials(const Multiaddr& address) const override { return may_dial_ && endpoint_of_(address); }
  Result<Connection*> dial(Instant now, const DialTarget& target) override {
    const auto socket = socket_for_(*endpoint_of_(target.address));
    if (!socket) return std::unexpected(socket.error());
    return endpoint_.dial(now, *socket, target);
  }
  bool poll_event(TransportEvent& out) override { return endpoint_.poll_event(out); }
  bool has_events() const override { return endpoint_.has_events(); }

 private:
  Endpoint& endpoint_;
  const EndpointOf endpoint_of_;
  SocketFor socket_for_;
  const bool may_dial_;
};

}  // namespace p2pa
