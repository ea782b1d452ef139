#pragma once
// UDP sessions as the swarm sees them: it dials from whatever socket the node has for an address.

#include <functional>
#include <utility>

#include "transport/udp/endpoint.hpp"

namespace p2pa::udp {

class UdpTransport final : public Transport {
 public:
  /// kWouldBlock: one is being made.
  using SocketFor = std::move_only_function<Result<SocketId>(const IpEndpoint& remote)>;

  /// REQUIRES that the endpoint outlives it.
  UdpTransport(Endpoint& endpoint, SocketFor socket_for) : endpoint_(endpoint), socket_for_(std::move(socket_for)) {}

  bool dials(const Multiaddr& address) const override { return udp_endpoint(address).has_value(); }
  Result<p2pa::Connection*> dial(Instant now, const DialTarget& target) override {
    const auto socket = socket_for_(*udp_endpoint(target.address));
    if (!socket) return std::unexpected(socket.error());
    return endpoint_.dial(now, *socket, target);
  }
  bool poll_event(TransportEvent& out) override { return endpoint_.poll_event(out); }
  bool has_events() const override { return endpoint_.has_events(); }

 private:
  Endpoint& endpoint_;
  SocketFor socket_for_;
};

}  // namespace p2pa::udp
