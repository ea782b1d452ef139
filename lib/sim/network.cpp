#include "sim/network.hpp"

#include <algorithm>

namespace p2pa::sim {
namespace {

constexpr std::size_t kUdpHeader = 8, kIp4Header = 20, kIp6Header = 40;
constexpr std::uint16_t kEphemeralPortMin = 49152;
/// Hosts whose addresses begin alike are in one subnet.
constexpr std::uint8_t kSubnetBits4 = 16, kSubnetBits6 = 64;

/// 11.0.0.1 and 2a00:: 1 for the first host: addresses that count as public.
IpAddress numbered_ip4(std::uint32_t host) {
  const std::uint32_t n = host + 1;
  IpAddress ip;
  ip.bytes = {11, static_cast<std::uint8_t>(n >> 16), static_cast<std::uint8_t>(n >> 8),
              static_cast<std::uint8_t>(n)};
  return ip;
}

IpAddress numbered_ip6(std::uint32_t host) {
  IpAddress ip = numbered_ip4(host);
  ip.v6 = true;
  std::copy_n(ip.bytes.begin() + 1, 3, ip.bytes.begin() + 5);  // a /64 of its own: 2a00:0:n::1
  std::fill(ip.bytes.begin(), ip.bytes.begin() + 5, std::uint8_t{0});
  ip.bytes[0] = 0x2a;
  ip.bytes[15] = 1;
  return ip;
}

constexpr IpAddress kEverybody{{255, 255, 255, 255}, false};

InterfaceAddress in_subnet(const IpAddress& ip) { return {ip, ip.v6 ? kSubnetBits6 : kSubnetBits4}; }

bool is_multicast(const IpAddress& ip) { return ip.v6 ? ip.bytes[0] == 0xff : ip.bytes[0] >> 4 == 0xe; }

/// Is it for all hosts of the sender's subnet, or for those of them that joined a group?
bool is_to_all(const IpAddress& from, const IpAddress& to) {
  if (is_multicast(to)) return true;
  if (to.v6) return false;
  return to == kEverybody || (to.bytes[2] == 255 && to.bytes[3] == 255 && in_subnet(from).reaches(to));
}

std::size_t ip_packet_size(const IpAddress& to, std::size_t payload) {
  return payload + kUdpHeader + (to.v6 ? kIp6Header : kIp4Header);
}

}  // namespace

bool overlap(const IpAddress& a, const IpAddress& b) {
  return a.v6 == b.v6 && (a == b || a.is_unspecified() || b.is_unspecified());
}

// --- hosts

HostId Network::add_host() {
  const HostId host = static_cast<HostId>(hosts_.size());
  hosts_.emplace_back();
  for (const IpAddress& ip : {numbered_ip4(host), numbered_ip6(host)}) {
    if (taken(ip)) continue;  // somebody chose it by hand
    hosts_[host].addresses.push_back({ip, ip});
    owners_[{ip, 0, 0}] = host;
  }
  return host;
}

Result<HostId> Network::add_host(const std::vector<IpAddress>& addresses) {
  const HostId host = static_cast<HostId>(hosts_.size());
  for (const IpAddress& ip : addresses) {
    if (taken(ip)) return fail(Code::kInvalidArgument, "host: the address is taken");
  }
  hosts_.emplace_back();
  for (const IpAddress& ip : addresses) {
    hosts_[host].addresses.push_back({ip, ip});
    owners_[{ip, 0, 0}] = host;
  }
  return host;
}

std::vector<IpAddress> Network::addresses(HostId host) const {
  std::vector<IpAddress> out;
  for (const Address& entry : hosts_[host].addresses) out.push_back(entry.inner);
  return out;
}

Result<void> Network::set_outer(HostId host, Address& entry, const IpAddress& outer) {
  if (outer == entry.outer) return {};
  if (taken(outer)) return fail(Code::kInvalidArgument, "host: the address is taken");
  owners_.erase({entry.outer, 0, 0});
  owners_[{outer, 0, 0}] = host;
  entry.outer = outer;
  return {};
}

std::vector<InterfaceAddress> Network::interfaces(HostId host) const {
  std::vector<InterfaceAddress> out;
  for (const IpAddress& ip : addresses(host)) out.push_back(in_subnet(ip));
  return out;
}

Result<void> Network::change_address(HostId host, const IpAddress& address) {
  for (Address& entry : hosts_[host].addresses) {
    if (entry.inner.v6 != address.v6) continue;
    if (auto set = set_outer(host, entry, address); !set) return set;
    entry.inner = address;
    return {};
  }
  return fail(Code::kInvalidArgument, "host: has no address of this family");
}

Result<void> Network::rebind(HostId host, const std::optional<IpAddress>& address) {
  for (Address& entry : hosts_[host].addresses) {
    if (!address || entry.inner.v6 != address->v6) continue;
    if (auto set = set_outer(host, entry, *address); !set) return set;
  }
  for (Socket& socket : hosts_[host].sockets) socket.outer_port = free_port(hosts_[host]);
  return {};
}

// --- links

Link& Network::link(HostId from, HostId to) {
  return links_[std::uint64_t{from} << 32 | to];
}

// --- IP

std::optional<Network::Address> Network::source_address(HostId host, const IpAddress& bound,
                                                        const IpAddress& to) const {
  if (to.is_loopback()) return Address{to, to};
  for (const Address& entry : hosts_[host].addresses) {
    if (entry.inner.v6 != to.v6 || bound.v6 != to.v6) continue;
    if (bound.is_unspecified() || bound == entry.inner) return entry;
  }
  return std::nullopt;
}

Result<void> Network::check_local(HostId host, const IpAddress& ip) const {
  const auto owned = [&](const Address& entry) { return entry.inner == ip; };
  const std::vector<Address>& addresses = hosts_[host].addresses;
  if (ip.is_unspecified() || ip.is_loopback() ||
      std::any_of(addresses.begin(), addresses.end(), owned)) {
    return {};
  }
  return fail(Code::kIo, "bind: not an address of this host", kAddressNotAvailable);
}

HostId Network::owner(HostId from, const IpAddress& to) const {
  if (to.is_loopback()) return from;
  const auto owner = owners_.find({to, 0, 0});
  return owner == owners_.end() ? kNoHost : owner->second;
}

std::optional<IpAddress> Network::inner_address(HostId host, const IpAddress& outer) const {
  if (outer.is_loopback()) return outer;
  for (const Address& entry : hosts_[host].addresses) {
    if (entry.outer == outer) return entry.inner;
  }
  return std::nullopt;
}

std::optional<Network::Passage> Network::carry(Instant now, HostId from, HostId to,
                                               std::size_t size) {
  Link& way = link(from, to);
  const auto at = pass(way, options(way), now, size, rng_, stats_);
  if (!at) return std::nullopt;
  const bool twice = chance(rng_, options(way).duplicate);
  if (twice) ++stats_.duplicated;
  return Passage{*at, twice};
}

std::size_t Network::path_mtu(HostId a, HostId b) {
  return std::min(options(link(a, b)).mtu, options(link(b, a)).mtu);
}

// --- sockets

std::uint16_t Network::free_port(Host& host) {
  const auto used = [&](std::uint16_t port) {
    return std::any_of(host.sockets.begin(), host.sockets.end(), [&](const Socket& socket) {
      return socket.bound.port == port || socket.outer_port == port;
    });
  };
  do {
    host.next_port = host.next_port == 65535 ? kEphemeralPortMin
                                             : static_cast<std::uint16_t>(host.next_port + 1);
  } while (used(host.next_port));
  return host.next_port;
}

Result<IpEndpoint> Network::bind(HostId id, NodeId node, SocketId socket, const IpEndpoint& local, bool shared) {
  Host& host = hosts_[id];
  if (auto checked = check_local(id, local.ip); !checked) return std::unexpected(checked.error());
  for (const Socket& other : host.sockets) {
    if (shared && other.shared) continue;
    if (local.port != 0 && other.bound.port == local.port && overlap(other.bound.ip, local.ip)) {
      return fail(Code::kIo, "bind: the port is taken", kAddressInUse);
    }
  }
  IpEndpoint bound = local;
  if (bound.port == 0) bound.port = free_port(host);
  host.sockets.push_back({node, socket, bound, bound.port, shared});
  return bound;
}

void Network::join(HostId host, NodeId node, SocketId socket, const IpAddress& group) {
  for (Socket& s : hosts_[host].sockets) {
    if (s.node == node && s.id == socket) s.group = group;
  }
}

void Network::close(HostId host, NodeId node, SocketId socket) {
  std::erase_if(hosts_[host].sockets,
                [&](const Socket& s) { return s.node == node && s.id == socket; });
}

void Network::close_all(HostId host, NodeId node) {
  std::erase_if(hosts_[host].sockets, [&](const Socket& s) { return s.node == node; });
}

// --- datagrams

/// The sender's end as others see it; empty when the host does not have the address it names.
std::optional<IpEndpoint> Network::source(HostId host, const Socket& socket,
                                          const Transmit& transmit) const {
  const IpAddress& to = transmit.remote.ip;
  if (to.is_loopback()) return IpEndpoint{to, socket.bound.port, 0};
  if (socket.bound.ip.v6 != to.v6) return std::nullopt;
  const auto address = source_address(
      host, transmit.local.ip.is_unspecified() ? socket.bound.ip : transmit.local.ip, to);
  if (!address) return std::nullopt;
  return IpEndpoint{address->outer, socket.outer_port, 0};
}

void Network::send(Instant now, HostId from, NodeId node, const Transmit& transmit,
                   ByteView bytes) {
  const Host& host = hosts_[from];
  const auto socket = std::find_if(host.sockets.begin(), host.sockets.end(), [&](const Socket& s) {
    return s.node == node && s.id == transmit.socket;
  });
  std::optional<IpEndpoint> source_end;
  if (socket != host.sockets.end()) source_end = source(from, *socket, transmit);
  const std::size_t segment = transmit.segment_size == 0 ? bytes.size() : transmit.segment_size;
  for (std::size_t at = 0; at < bytes.size(); at += segment) {
    const ByteView one = bytes.subspan(at, std::min(segment, bytes.size() - at));
    if (source_end) {
      send_one(now, from, *source_end, transmit.remote, transmit.ecn, one);
    } else {
      ++stats_.sent;
      ++stats_.unreachable;
    }
  }
}

void Network::inject(Instant now, HostId from, std::uint16_t from_port, HostId to,
                     std::uint16_t to_port, ByteView bytes) {
  if (hosts_[from].addresses.empty() || (to != kNoHost && hosts_[to].addresses.empty())) return;
  const IpAddress destination = to == kNoHost ? kEverybody : hosts_[to].addresses.front().outer;
  send_one(now, from, {hosts_[from].addresses.front().outer, from_port, 0}, {destination, to_port, 0}, Ecn::kNone,
           bytes);
}

std::optional<Network::Passage> Network::set_out(Instant now, HostId from_host, HostId to_host, const IpEndpoint& from,
                                                 const IpEndpoint& to, ByteView bytes) {
  ++stats_.sent;
  stats_.sent_bytes += bytes.size();
  if (filter_ && !filter_({now, from_host, to_host, from.port, to.port, bytes})) {
    ++stats_.filtered;
    return std::nullopt;
  }
  if (to_host == kNoHost) {
    ++stats_.unreachable;
    return std::nullopt;
  }
  return carry(now, from_host, to_host, ip_packet_size(to.ip, bytes.size()));
}

void Network::send_one(Instant now, HostId from_host, const IpEndpoint& from, const IpEndpoint& to,
                       Ecn ecn, ByteView bytes) {
  if (is_to_all(from.ip, to.ip)) return send_to_all(now, from_host, from, to, ecn, bytes);
  const HostId to_host = owner(from_host, to.ip);
  const auto passage = set_out(now, from_host, to_host, from, to, bytes);
  if (!passage) return;
  for (int copies = passage->twice ? 2 : 1; copies > 0; --copies) {
    arrive(passage->at, from_host, to_host, from, to, ecn, bytes);
  }
}

/// Over the link to each host of the subnet, the sender's own included, in the order of the hosts; each is a
/// datagram of its own to the statistics. Who hears it there is settled now, as by a switch that knows.
void Network::send_to_all(Instant now, HostId from_host, const IpEndpoint& from, const IpEndpoint& to, Ecn ecn,
                          ByteView bytes) {
  const InterfaceAddress subnet = in_subnet(from.ip);
  for (HostId host = 0; host < hosts_.size(); ++host) {
    const bool near = std::ranges::any_of(hosts_[host].addresses,
                                          [&](const Address& entry) { return subnet.reaches(entry.inner); });
    if (!near) continue;
    std::vector<const Socket*> ears;
    for (const Socket& socket : hosts_[host].sockets) {
      const bool hears = !is_multicast(to.ip) || socket.group == to.ip;
      if (hears && socket.bound.port == to.port && socket.bound.ip.v6 == to.ip.v6) ears.push_back(&socket);
    }
    if (ears.empty()) continue;
    const auto passage = set_out(now, from_host, host, from, to, bytes);
    if (!passage) continue;
    for (int copies = passage->twice ? 2 : 1; copies > 0; --copies) {
      for (const Socket* socket : ears) {
        Packet& packet = arrive(passage->at, from_host, host, from, to, ecn, bytes);
        packet.node = socket->node;
        packet.socket = socket->id;
      }
    }
  }
}

Packet& Network::arrive(Instant at, HostId from_host, HostId to_host, const IpEndpoint& from,
                        const IpEndpoint& to, Ecn ecn, ByteView bytes) {
  const std::uint32_t slot = pool_.take();
  Packet& packet = pool_[slot];
  packet.from_host = from_host;
  packet.to_host = to_host;
  packet.from = from;
  packet.to = to;
  packet.ecn = ecn;
  packet.bytes.assign(bytes.begin(), bytes.end());
  packet.node = 0;
  packet.socket = 0;
  events_.push(at, Event::Kind::kArrival, slot);
  return packet;
}

std::optional<Network::Delivery> Network::deliver(std::uint32_t slot) {
  const Packet& packet = pool_[slot];
  const Host& host = hosts_[packet.to_host];
  const auto inner = packet.socket == 0 ? inner_address(packet.to_host, packet.to.ip) : std::optional(packet.to.ip);
  for (const Socket& socket : host.sockets) {
    const bool meant = packet.socket == 0
                           ? inner && socket.outer_port == packet.to.port && overlap(socket.bound.ip, *inner)
                           : socket.node == packet.node && socket.id == packet.socket;
    if (!meant) continue;
    ++stats_.delivered;
    stats_.delivered_bytes += packet.bytes.size();
    return Delivery{socket.node,
                    {.socket = socket.id,
                     .local = {*inner, socket.bound.port, 0},
                     .remote = packet.from,
                     .ecn = packet.ecn,
                     .segment_size = packet.bytes.size(),
                     .bytes = packet.bytes}};
  }
  ++stats_.unreachable;
  return std::nullopt;
}

}  // namespace p2pa::sim
