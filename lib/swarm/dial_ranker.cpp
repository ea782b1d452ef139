#include "swarm/dial_ranker.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "address/ip_endpoint.hpp"

namespace p2pa::swarm {
namespace {

using Protocol = Multiaddr::Protocol;

enum class Rank : std::uint8_t { kQuic, kTcp, kWebSocket, kOther, kRelay };
constexpr std::size_t kRanks = 5;

Rank rank_of(const Multiaddr& address) {
  if (relayed(address)) return Rank::kRelay;
  if (address.has(Protocol::kWebtransport)) return Rank::kOther;
  if (address.has(Protocol::kQuicV1)) return Rank::kQuic;
  if (address.has(Protocol::kWs) || address.has(Protocol::kWss)) return Rank::kWebSocket;
  return address.has(Protocol::kTcp) ? Rank::kTcp : Rank::kOther;
}

void append_in_turns(std::vector<Multiaddr> addresses, std::vector<Multiaddr>& out) {
  std::vector<Multiaddr> v6, rest;
  for (Multiaddr& a : addresses) (a.has(Protocol::kIp6) ? v6 : rest).push_back(std::move(a));
  for (std::size_t i = 0; i < std::max(v6.size(), rest.size()); ++i) {
    if (i < v6.size()) out.push_back(std::move(v6[i]));
    if (i < rest.size()) out.push_back(std::move(rest[i]));
  }
}

}  // namespace

std::vector<Multiaddr> ranked(std::vector<Multiaddr> addresses) {
  std::array<std::vector<Multiaddr>, kRanks> of_rank;
  for (Multiaddr& a : addresses) of_rank[static_cast<std::size_t>(rank_of(a))].push_back(std::move(a));
  std::vector<Multiaddr> out;
  for (auto& group : of_rank) append_in_turns(std::move(group), out);
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
