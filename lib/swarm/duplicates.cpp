#include "swarm/duplicates.hpp"

#include <algorithm>
#include <tuple>

namespace p2pa::swarm {
namespace {

auto rank(const Duplicate& d) { return std::tuple(d.carrier, d.by_smaller); }

bool better(const Duplicate& a, const Duplicate& b) {
  return rank(a) != rank(b) ? rank(a) > rank(b) : a.id < b.id;
}

}  // namespace

Carrier carrier_of(const Multiaddr& address) {
  if (address.has(Multiaddr::Protocol::kP2pCircuit)) return Carrier::kRelayed;
  if (address.has(Multiaddr::Protocol::kQuicV1)) return Carrier::kQuic;
  return address.has(Multiaddr::Protocol::kP2paUdp) ? Carrier::kSession : Carrier::kStream;
}

std::vector<ConnectionId> surplus(std::vector<Duplicate> connections, std::size_t kept) {
  std::vector<ConnectionId> out;
  if (connections.size() <= kept || kept == 0) return out;
  std::ranges::sort(connections, better);
  const auto last_kept = rank(connections[kept - 1]);
  for (std::size_t i = kept; i < connections.size(); ++i) {
    const bool dialer_decides = rank(connections[i]) == last_kept;
    if (connections[i].outbound || !dialer_decides) out.push_back(connections[i].id);
  }
  return out;
}

}  // namespace p2pa::swarm
