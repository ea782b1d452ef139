#include "swarm/address_filter.hpp"

#include <algorithm>
#include <utility>

#include "dns/expansion.hpp"

namespace p2pa::swarm {

bool AddressFilter::set_interfaces(std::vector<InterfaceAddress> interfaces) {
  std::ranges::sort(interfaces);
  const bool moved = interfaces_ && *interfaces_ != interfaces;
  interfaces_ = std::move(interfaces);
  return moved;
}

AddressFilter::Verdict AddressFilter::check(const Multiaddr& address,
                                            const std::optional<Multiaddr>& worked_last) const {
  if (policy_ == DialPrivate::kAll) return Verdict::kDial;
  const auto ip = ip_address(address);
  // What a name stands for is checked when that is known: by then the interfaces must be, too.
  if (!ip && policy_ == DialPrivate::kSameSubnet && dns::has_name(address) && !interfaces_) return Verdict::kAskAgain;
  if (!ip || !ip->is_local()) return Verdict::kDial;
  if (policy_ == DialPrivate::kNone) return Verdict::kSkip;
  if (ip->is_loopback() && listens_on_loopback_) return Verdict::kDial;
  if (!interfaces_) return Verdict::kAskAgain;
  const auto verdict = [](bool dial) { return dial ? Verdict::kDial : Verdict::kSkip; };
  if (ip->is_loopback()) {
    const auto seen = worked_last ? ip_address(*worked_last) : std::nullopt;
    return verdict(seen && on_this_host(*seen));
  }
  return verdict(std::ranges::any_of(*interfaces_, [&](const auto& own) { return own.reaches(*ip); }));
}

bool AddressFilter::on_this_host(const IpAddress& ip) const {
  return ip.is_loopback() || std::ranges::find(*interfaces_, ip, &InterfaceAddress::ip) != interfaces_->end();
}

}  // namespace p2pa::swarm
