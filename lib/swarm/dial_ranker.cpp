#include "swarm/dial_ranker.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "address/ip_endpoint.hpp"

namespace p2pa::swarm {
namespace {

using Protocol = Multiaddr::Protocol;

enum class Rank : std::uint8_t { kQuic, kSession, kTcp, kWebSocket, kOther, kRelay };
constexpr std::size_t kRanks = 6;

Rank rank_of(const Multiaddr& address) {
  if (relayed(address)) return Rank::kRelay;
  if (address.has(Protocol::kWebtransport)) return Rank::kOther;
  if (address.has(Protocol::kQuicV1)) return Rank::kQuic;
  if (address.has(Protocol::kP2paUdp)) return Rank::kSession;
  if (address.has(Protocol::kWs) || address.has(Protocol::kWss)) return Rank::kWebSocket;
  return address.has(Protocol::kTcp) ? Rank::kTcp : Rank::kOther;
}

/// The addresses of one kind, by family, in their given order.
struct Kind {
  std::vector<Multiaddr> v6, rest;
  std::size_t rounds() const { return std::max(v6.size(), rest.size()); }
  /// The round's address of each family.
  void append(std::size_t round, std::vector<Multiaddr>& out) {
    if (round < v6.size()) out.push_back(std::move(v6[round]));
    if (round < rest.size()) out.push_back(std::move(rest[round]));
  }
};

}  // namespace

std::vector<Multiaddr> ranked(std::vector<Multiaddr> addresses) {
  std::array<Kind, kRanks> kinds;
  std::size_t rounds = 0;
  for (Multiaddr& a : addresses) {
    Kind& kind = kinds[static_cast<std::size_t>(rank_of(a))];
    (a.has(Protocol::kIp6) ? kind.v6 : kind.rest).push_back(std::move(a));
    rounds = std::max(rounds, kind.rounds());
  }
  Kind& relays = kinds[static_cast<std::size_t>(Rank::kRelay)];
  std::vector<Multiaddr> out;
  for (std::size_t round = 0; round < rounds; ++round) {
    for (Kind& kind : kinds) {
      if (&kind != &relays) kind.append(round, out);
    }
  }
  for (std::size_t round = 0; round < relays.rounds(); ++round) relays.append(round, out);
  return out;
}

Duration stagger(const std::vector<Multiaddr>& addresses) {
  const bool local = std::ranges::all_of(addresses, [](const Multiaddr& a) {
    const auto ip = ip_address(a);
    return ip && ip->is_local() && !relayed(a);
  });
  return local ? kLocalDialStagger : kDialStagger;
}

}  // namespace p2pa::swarm
