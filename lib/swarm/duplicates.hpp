#pragma once
// Which of several connections to one peer are too many. Two peers that dial each other at once have two;
// both ends must give up the same one, and say so to nobody.

#include <cstdint>
#include <vector>

#include "transport/connection.hpp"

namespace p2pa::swarm {

/// What carries a connection, the better the later. Both ends of one see the same.
enum class Carrier : std::uint8_t { kRelayed, kStream, kSession, kQuic };
Carrier carrier_of(const Multiaddr& address);

/// A connection as both ends know it; `id` alone is this end's own.
struct Duplicate {
  ConnectionId id = 0;
  Carrier carrier = Carrier::kStream;
  bool outbound = false;
  bool by_smaller = false;  ///< dialed by the end whose PeerId is the smaller one
};

/// Those beyond the best `kept`. QUIC is better than a session over UDP, that better than any stream, a direct
/// connection better than a relayed one; of equal ones that is better which the smaller PeerId dialed. Where
/// these say nothing, the same end dialed both, and that end decides: it keeps the older one, and the other end
/// gives up neither.
std::vector<ConnectionId> surplus(std::vector<Duplicate> connections, std::size_t kept);

}  // namespace p2pa::swarm
