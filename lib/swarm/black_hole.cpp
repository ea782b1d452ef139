#include "swarm/black_hole.hpp"

#include <algorithm>

#include "address/ip_endpoint.hpp"

namespace p2pa::swarm {
namespace {

/// Does the address lead out of our own networks?
bool leads_out(const Multiaddr& address) {
  const auto ip = ip_address(address);
  return ip && !ip->is_local();
}
bool over_udp(const Multiaddr& address) {
  return leads_out(address) && address.has(Multiaddr::Protocol::kUdp);
}
bool over_ip6(const Multiaddr& address) {
  return leads_out(address) && address.has(Multiaddr::Protocol::kIp6);
}

}  // namespace

BlackHoleDetector::State BlackHoleDetector::state() const {
  if (results_.size() < kBlackHoleTries) return State::kUnknown;
  return successes_ < kBlackHoleSuccessesMin ? State::kBlocked : State::kPasses;
}

bool BlackHoleDetector::ask() {
  return state() != State::kBlocked || ++asked_ % kBlackHoleProbeEvery == 0;
}

void BlackHoleDetector::record(bool worked) {
  // What a probe got through is worth more than all that failed before.
  if (worked && state() == State::kBlocked) reset();
  results_.push_back(worked);
  if (worked) ++successes_;
  if (results_.size() <= kBlackHoleTries) return;
  if (results_.front()) --successes_;
  results_.pop_front();
}

bool BlackHoles::Skipped::has(const Multiaddr& address) const {
  return (udp && over_udp(address)) || (ip6 && over_ip6(address));
}

BlackHoles::Skipped BlackHoles::ask(const std::vector<Multiaddr>& addresses) {
  return {.udp = std::ranges::any_of(addresses, over_udp) && !udp_.ask(),
          .ip6 = std::ranges::any_of(addresses, over_ip6) && !ip6_.ask()};
}

void BlackHoles::record(const Multiaddr& address, bool answered) {
  if (over_udp(address)) udp_.record(answered);
  if (over_ip6(address)) ip6_.record(answered);
}

void BlackHoles::reset() {
  udp_.reset();
  ip6_.reset();
}

}  // namespace p2pa::swarm
