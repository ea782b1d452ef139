#include "swarm/gater.hpp"

#include <algorithm>
#include <utility>

namespace p2pa::swarm {
namespace {

std::unexpected<Error> gated(const char* why) { return fail(Code::kGated, why); }

constexpr const char* kPeerDenied = "a rule denies this peer";
constexpr const char* kAddressDenied = "a rule denies this address";
constexpr const char* kNotAllowed = "only what is allowed may pass";

}  // namespace

Result<GateRule> parse_gate_rule(std::string_view text) {
  if (text.starts_with('/')) return GateRule(std::string(text));
  if (auto range = IpRange::parse(text)) return GateRule(*range);
  if (auto peer = PeerId::parse(text)) return GateRule(*peer);
  return fail(Code::kInvalidArgument, "a rule names a peer, a range of IP addresses, or a protocol");
}

void Gater::Rules::add(GateRule rule) {
  if (const auto* peer = std::get_if<PeerId>(&rule)) {
    peers.insert(*peer);
  } else if (const auto* range = std::get_if<IpRange>(&rule)) {
    if (std::ranges::find(ranges, *range) == ranges.end()) ranges.push_back(*range);
  } else {
    protocols.insert(std::get<std::string>(std::move(rule)));
  }
}

bool Gater::Rules::remove(const GateRule& rule) {
  if (const auto* peer = std::get_if<PeerId>(&rule)) return peers.erase(*peer) > 0;
  if (const auto* range = std::get_if<IpRange>(&rule)) return std::erase(ranges, *range) > 0;
  return protocols.erase(std::get<std::string>(rule)) > 0;
}

bool Gater::Rules::names(const IpAddress& ip) const {
  return std::ranges::any_of(ranges, [&](const IpRange& range) { return range.contains(ip); });
}

void Gater::deny(GateRule rule) { denied_.add(std::move(rule)); }

Result<void> Gater::allow(GateRule rule) {
  if (std::holds_alternative<std::string>(rule)) {
    return fail(Code::kInvalidArgument, "a protocol can only be denied");
  }
  allowed_.add(std::move(rule));
  return {};
}

bool Gater::forget(const GateRule& rule) {
  const bool was_denied = denied_.remove(rule), was_allowed = allowed_.remove(rule);
  return was_denied || was_allowed;
}

Result<void> Gater::peer(const PeerId& peer) const {
  if (denied_.peers.contains(peer)) return gated(kPeerDenied);
  // An address of it may be what is allowed.
  if (allowed_only_ && allowed_.ranges.empty() && !allowed_.peers.contains(peer)) return gated(kNotAllowed);
  return {};
}

Result<void> Gater::connection(const PeerId& peer, const Multiaddr& remote) const {
  if (denied_.peers.contains(peer)) return gated(kPeerDenied);
  const auto ip = ip_address(remote);
  if (ip && denied_.names(*ip)) return gated(kAddressDenied);
  if (!allowed_only_ || allowed_.peers.contains(peer)) return {};
  // What a relay carries does not come from its address.
  const bool direct = !remote.has(Multiaddr::Protocol::kP2pCircuit);
  if (direct && ip && allowed_.names(*ip)) return {};
  // Whoever answers will be asked for again by name.
  if (peer.empty() && !allowed_.peers.empty()) return {};
  return gated(kNotAllowed);
}

Result<void> Gater::accept(const IpAddress& from) const {
  if (denied_.names(from)) return gated(kAddressDenied);
  if (allowed_only_ && allowed_.peers.empty() && !allowed_.names(from)) return gated(kNotAllowed);
  return {};
}

Result<void> Gater::stream(std::string_view protocol) const {
  if (denied_.protocols.contains(protocol)) return gated("a rule denies this protocol");
  return {};
}

}  // namespace p2pa::swarm
