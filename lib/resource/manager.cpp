#include "resource/manager.hpp"

#include <utility>

namespace p2pa {

std::string_view LimitCounters::name(Which which) noexcept {
  static constexpr std::string_view kNames[kCount] = {
      "connections", "connections_per_peer", "connections_per_ip", "handshakes",
      "handshakes_per_ip", "streams", "streams_per_peer", "calls", "calls_per_peer",
      "memory", "memory_per_peer"};
  return which < kCount ? kNames[which] : std::string_view{"unknown"};
}

}  // namespace p2pa

namespace p2pa::resource {
namespace {

/// The unit that per-address bounds count: an IPv4 address, or an IPv6 /64.
IpEndpoint ip_unit(const IpAddress& ip) {
  IpEndpoint unit{ip, 0, 0};
  if (ip.v6) {
    for (std::size_t i = 8; i < 16; ++i) unit.ip.bytes[i] = 0;
  }
  return unit;
}

}  // namespace

Reservation::Reservation(Reservation&& o) noexcept
    : manager_(std::exchange(o.manager_, nullptr)),
      kind_(o.kind_),
      peer_(o.peer_),
      ip_(o.ip_),
      amount_(o.amount_) {}

Reservation& Reservation::operator=(Reservation&& o) noexcept {
  if (this != &o) {
    release();
    manager_ = std::exchange(o.manager_, nullptr);
    kind_ = o.kind_;
    peer_ = o.peer_;
    ip_ = o.ip_;
    amount_ = o.amount_;
  }
  return *this;
}

void Reservation::release() noexcept {
  if (manager_ != nullptr) std::exchange(manager_, nullptr)->give_back(*this);
}

std::unexpected<Error> Manager::refuse(LimitCounters::Which which, Code code, const char* why,
                                       std::uint64_t bound) {
  ++counters_.refused[which];
  return fail(code, why, bound);
}

Reservation Manager::grant(Reservation::Kind kind, const PeerId& peer, const IpAddress& ip,
                           std::size_t amount) {
  Reservation granted;
  granted.manager_ = this;
  granted.kind_ = kind;
  granted.peer_ = peer;
  granted.ip_ = ip;
  granted.amount_ = amount;
  return granted;
}

Result<Reservation> Manager::handshake(const IpAddress& from) {
  if (usage_.handshakes >= limits_.handshakes_max) {
    return refuse(LimitCounters::kHandshakes, Code::kLimitHandshakes,
                  "too many handshakes in flight", limits_.handshakes_max);
  }
  if (!from.is_loopback()) {
    const auto unit = ip_unit(from);
    const auto it = ips_.find(unit);
    if (it != ips_.end() && it->second.handshakes >= limits_.handshakes_per_ip_max) {
      return refuse(LimitCounters::kHandshakesPerIp, Code::kLimitIp,
                    "too many handshakes in flight from one address",
                    limits_.handshakes_per_ip_max);
    }
    ++ips_[unit].handshakes;
  }
  ++usage_.handshakes;
  return grant(Reservation::Kind::kHandshake, {}, from, 1);
}

bool Manager::under_load() const { return usage_.handshakes >= limits_.handshakes_max / 2; }

Result<Reservation> Manager::connection(const PeerId& peer, const IpAddress& ip) {
  if (usage_.connections >= limits_.connections_max) {
    return refuse(LimitCounters::kConnections, Code::kLimitConnections, "too many connections",
                  limits_.connections_max);
  }
  const auto use = peers_.find(peer);
  if (use != peers_.end() && use->second.connections >= limits_.connections_per_peer_max) {
    return refuse(LimitCounters::kConnectionsPerPeer, Code::kLimitPeer,
                  "too many connections to one peer", limits_.connections_per_peer_max);
  }
  if (!ip.is_loopback()) {
    const auto unit = ip_unit(ip);
    const auto it = ips_.find(unit);
    if (it != ips_.end() && it->second.connections >= limits_.connections_per_ip_max) {
      return refuse(LimitCounters::kConnectionsPerIp, Code::kLimitIp,
                    "too many connections to one address", limits_.connections_per_ip_max);
    }
    ++ips_[unit].connections;
  }
  ++peers_[peer].connections;
  ++usage_.connections;
  return grant(Reservation::Kind::kConnection, peer, ip, 1);
}

Result<Reservation> Manager::stream(const PeerId& peer) {
  if (usage_.streams >= limits_.streams_max) {
    return refuse(LimitCounters::kStreams, Code::kLimitStreams, "too many streams",
                  limits_.streams_max);
  }
  auto& use = peers_[peer];
  if (use.streams >= limits_.streams_per_peer_max) {
    return refuse(LimitCounters::kStreamsPerPeer, Code::kLimitPeer, "too many streams of one peer",
                  limits_.streams_per_peer_max);
  }
  ++use.streams;
  ++usage_.streams;
  return grant(Reservation::Kind::kStream, peer, {}, 1);
}

Result<Reservation> Manager::call(const PeerId& peer) {
  if (usage_.calls >= limits_.calls_max) {
    return refuse(LimitCounters::kCalls, Code::kLimitCalls, "too many calls in flight",
                  limits_.calls_max);
  }
  auto& use = peers_[peer];
  if (use.calls >= limits_.calls_per_peer_max) {
    return refuse(LimitCounters::kCallsPerPeer, Code::kLimitPeer,
                  "too many calls in flight with one peer", limits_.calls_per_peer_max);
  }
  ++use.calls;
  ++usage_.calls;
  return grant(Reservation::Kind::kCall, peer, {}, 1);
}

Result<Reservation> Manager::memory(const PeerId& peer, std::size_t bytes) {
  if (bytes > limits_.memory_max - usage_.memory) {
    return refuse(LimitCounters::kMemory, Code::kLimitMemory, "the node's memory is used up",
                  limits_.memory_max);
  }
  auto& use = peers_[peer];
  if (use.memory > limits_.memory_per_peer_max || bytes > limits_.memory_per_peer_max - use.memory) {
    return refuse(LimitCounters::kMemoryPerPeer, Code::kLimitPeer, "the peer's memory is used up",
                  limits_.memory_per_peer_max);
  }
  use.memory += bytes;
  usage_.memory += bytes;
  return grant(Reservation::Kind::kMemory, peer, {}, bytes);
}

void Manager::give_back(const Reservation& r) noexcept {
  const bool by_ip =
      r.kind_ == Reservation::Kind::kHandshake || r.kind_ == Reservation::Kind::kConnection;
  if (by_ip && !r.ip_.is_loopback()) {
    const auto it = ips_.find(ip_unit(r.ip_));
    auto& count = r.kind_ == Reservation::Kind::kHandshake ? it->second.handshakes
                                                           : it->second.connections;
    --count;
    if (it->second.handshakes == 0 && it->second.connections == 0) ips_.erase(it);
  }
  if (r.kind_ == Reservation::Kind::kHandshake) {
    --usage_.handshakes;
    return;
  }
  const auto it = peers_.find(r.peer_);
  PeerUse& use = it->second;
  switch (r.kind_) {
    case Reservation::Kind::kConnection: --use.connections; --usage_.connections; break;
    case Reservation::Kind::kStream: --use.streams; --usage_.streams; break;
    case Reservation::Kind::kCall: --use.calls; --usage_.calls; break;
    case Reservation::Kind::kMemory: use.memory -= r.amount_; usage_.memory -= r.amount_; break;
    case Reservation::Kind::kHandshake: break;
  }
  // Kept while connected: a peer that calls all the time must not make this entry come and go.
  if (use == PeerUse{}) peers_.erase(it);
}

}  // namespace p2pa::resource
