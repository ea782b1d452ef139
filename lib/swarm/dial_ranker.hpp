#pragma once
// In which order the addresses of a peer are tried, and how long each waits for the one before it.

#include <vector>

#include "p2pagents/multiaddr.hpp"
#include "p2pagents/time.hpp"

namespace p2pa::swarm {

/// Head start of an address over the next one (go-libp2p's ranking, from RFC 8305 §5).
inline constexpr Duration kDialStagger = milliseconds(250);
/// The same when all are of our own networks, where an answer takes no longer.
inline constexpr Duration kLocalDialStagger = milliseconds(30);
/// Head start of the last direct address over the first relay.
inline constexpr Duration kRelayDelay = milliseconds(500);

/// Best first: QUIC, which needs a round trip less; sessions over UDP; TCP; WebSocket; what is none of these. Of
/// each kind one of either IP family, IPv6 first (RFC 8305 §4), then the second ones: in a network that swallows
/// UDP the many addresses of QUIC do not hold up TCP. Relays last. Else the order is kept.
std::vector<Multiaddr> ranked(std::vector<Multiaddr> addresses);

/// The stagger of a dial of these addresses.
Duration stagger(const std::vector<Multiaddr>& addresses);

/// Does the address lead over a relay?
inline bool relayed(const Multiaddr& address) { return address.has(Multiaddr::Protocol::kP2pCircuit); }

}  // namespace p2pa::swarm
