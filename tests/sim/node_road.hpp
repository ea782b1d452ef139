#pragma once
// What one node may reach another over, for scenarios that hold over all of it.

#include <string>
#include <vector>

#include "support.hpp"

namespace p2pa::sim {

struct NodeRoad {
  std::string name;
  std::string listen;  ///< an address for NodeOptions::listen
  Security security = Security::kNoise;  ///< where the road does not bring its own
};

/// QUIC, TCP with Noise and with TLS, WebSocket plain and in TLS, sessions over UDP.
const std::vector<NodeRoad>& node_roads();

/// As make_pair(), over this road. What `server` and `client` say of listening and of security is replaced.
Pair make_pair(World& world, const NodeRoad& road, NodeOptions server = {}, NodeOptions client = {});

}  // namespace p2pa::sim
