#include "lan/outbound.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace p2pa::lan {
namespace {

constexpr unsigned kPointToPointBits = 31;  // RFC 3021: such a network has no address for all

IpAddress limited_broadcast() { return IpAddress{{255, 255, 255, 255}, false}; }

/// Of an IPv4 interface's subnet (RFC 919).
IpAddress broadcast_of(const InterfaceAddress& interface) {
  if (interface.prefix_bits >= kPointToPointBits) return limited_broadcast();
  IpAddress out = interface.ip;
  for (std::size_t bit = interface.prefix_bits; bit < 32; ++bit) {
    out.bytes[bit / 8] |= static_cast<std::uint8_t>(0x80 >> bit % 8);
  }
  return out;
}

/// IPv6 leaves by link-local addresses, of which each interface has one, and which know their interface.
bool sends(const InterfaceAddress& interface) { return !interface.ip.v6 || interface.ip.is_link_local(); }

}  // namespace

IpAddress group(bool v6) {
  if (!v6) return IpAddress{{239, 255, 112, 50}, false};
  return IpAddress{{0xff, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'p', '2', 'p', 'l'}, true};
}

void Outbound::set_interfaces(const std::vector<InterfaceAddress>& interfaces) {
  interfaces_ = interfaces;
  targets_.clear();
  for (const InterfaceAddress& interface : interfaces) {
    if (targets_.size() == kTargetsMax) break;
    if (!sends(interface)) continue;
    IpAddress to = group(interface.ip.v6);
    if (broadcast_ && !interface.ip.v6 && !interface.ip.is_loopback()) to = broadcast_of(interface);
    const std::uint32_t scope = interface.scope;
    targets_.push_back({{interface.ip, 0, scope}, {to, port_, scope}});
  }
}

bool Outbound::to_link(const IpAddress& destination) const {
  if (destination == group(destination.v6)) return true;
  if (destination.v6) return false;
  return destination == limited_broadcast() || std::ranges::any_of(interfaces_, [&](const InterfaceAddress& i) {
    return !i.ip.v6 && destination == broadcast_of(i);
  });
}

bool Outbound::on_link(const IpAddress& source) const {
  return source.is_link_local() ||
         std::ranges::any_of(interfaces_, [&](const InterfaceAddress& i) { return i.reaches(source); });
}

void Outbound::to_all(Bytes datagram) {
  if (!full()) waiting_.push_back({std::move(datagram), std::nullopt, 0});
}

void Outbound::to_one(const IpEndpoint& remote, Bytes datagram) {
  if (!full()) waiting_.push_back({std::move(datagram), remote, 0});
}

std::optional<Outbound::Target> Outbound::next_target() {
  Waiting& first = waiting_.front();
  const std::size_t i = first.next++;
  if (first.remote) return i == 0 ? std::optional(Target{{}, *first.remote}) : std::nullopt;
  return i < targets_.size() ? std::optional(targets_[i]) : std::nullopt;
}

bool Outbound::poll(MutableBytes buffer, Transmit& out) {
  while (!waiting_.empty()) {
    const auto target = next_target();
    if (!target) {
      waiting_.pop_front();
      continue;
    }
    const SocketId socket = target->remote.ip.v6 ? socket6_ : socket4_;
    if (socket == 0) continue;  // this host cannot speak that family
    const Bytes& datagram = waiting_.front().datagram;
    P2PA_ASSERT(datagram.size() <= buffer.size());
    std::ranges::copy(datagram, buffer.begin());
    out = {socket, target->local, target->remote, Ecn::kNone, datagram.size(), datagram.size()};
    return true;
  }
  return false;
}

}  // namespace p2pa::lan
