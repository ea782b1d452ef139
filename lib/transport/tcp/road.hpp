#pragma once
// How the bytes of a connection get to the peer: TCP as it is, or what it wears.

#include <optional>
#include <string>

#include "address/ip_endpoint.hpp"
#include "transport/layer/layer_stack.hpp"

namespace p2pa::tcp {

struct Shared;

struct Road {
  IpEndpoint remote;       ///< the peer's, or its reverse proxy's
  bool websocket = false;
  bool tls = false;        ///< around the WebSocket
  std::string host{};      ///< whose certificate that TLS shows; empty: of the IP address
};

/// Empty: the address is not of TCP.
std::optional<Road> road_to(const Multiaddr& address);
/// The other direction, with the endpoint of either end.
Multiaddr address_of(const Road& road, const IpEndpoint& endpoint);
/// Where the socket of a dial is connected to.
IpEndpoint first_hop(const Shared& shared, const Road& road);
/// What a connection on this road wears, by the node's configuration too. kInvalidArgument: the
/// proxy cannot be asked for it. kOutOfMemory.
Result<LayerStack> layers_of(Shared& shared, const Road& road, bool outbound);

}  // namespace p2pa::tcp
