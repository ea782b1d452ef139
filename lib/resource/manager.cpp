#include "resource/manager.hpp"

#include <algorithm>
#include <utility>

namespace p2pa {

std::string_view LimitCounters::name(Which which) noexcept {
  static constexpr std::string_view kNames[kCount] = {
      "connections", "connections_per_peer", "connections_per_ip", "handshakes",
      "handshakes_per_ip", "streams", "streams_per_peer", "calls", "calls_per_peer",
      "memory", "memory_per_peer", "streams_per_ip", "calls_per_ip", "memory_per_ip"};
  return which < kCount ? kNames[which] : std::string_view{"unknown"};
}

std::string_view DropCounters::name(Which which) noexcept {
  static constexpr std::string_view kNames[kCount] = {
      "malformed", "unknown", "unexpected", "repeated", "not_authentic", "early", "address_unproven",
      "proof_refused", "answers_full", "handshake_refused", "handshake_failed", "handshake_slow",
      "connection_violation", "connection_flood", "stream_violation", "stream_unknown", "stream_limit",
      "stream_slow", "message"};
  return which < kCount ? kNames[which] : std::string_view{"unknown reason"};
}

}  // namespace p2pa

namespace p2pa::resource {
namespace {

/// The unit that per-address bounds count: an IPv4 address, or an IPv6 /64. None: loopback is free.
std::optional<IpEndpoint> ip_unit(const IpAddress& ip) {
  if (ip.is_loopback()) return std::nullopt;
  IpEndpoint unit{ip, 0, 0};
  if (ip.v6) {
    for (std::size_t i = 8; i < 16; ++i) unit.ip.bytes[i] = 0;
  }
  return unit;
}

std::size_t room(std::size_t bound, std::size_t used) { return bound - std::min(bound, used); }

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

void Manager::add(LimitUsage& use, Reservation::Kind kind, std::size_t amount) {
  switch (kind) {
    case Reservation::Kind::kHandshake: ++use.handshakes; break;
    case Reservation::Kind::kConnection: ++use.connections; break;
    case Reservation::Kind::kStream: ++use.streams; break;
    case Reservation::Kind::kCall: ++use.calls; break;
    case Reservation::Kind::kMemory: use.memory += amount; break;
  }
}

void Manager::remove(LimitUsage& use, Reservation::Kind kind, std::size_t amount) {
  switch (kind) {
    case Reservation::Kind::kHandshake: --use.handshakes; break;
    case Reservation::Kind::kConnection: --use.connections; break;
    case Reservation::Kind::kStream: --use.streams; break;
    case Reservation::Kind::kCall: --use.calls; break;
    case Reservation::Kind::kMemory: use.memory -= amount; break;
  }
}

LimitUsage Manager::use_of(const PeerId& peer) const {
  const auto it = peers_.find(peer);
  return it == peers_.end() ? LimitUsage{} : it->second.use;
}

LimitUsage Manager::use_of(const std::optional<IpEndpoint>& ip) const {
  if (!ip) return {};
  const auto it = ips_.find(*ip);
  return it == ips_.end() ? LimitUsage{} : it->second;
}

std::optional<IpEndpoint> Manager::ip_of(const PeerId& peer) const {
  const auto it = peers_.find(peer);
  return it == peers_.end() ? std::nullopt : it->second.ip;
}

Reservation Manager::grant(Reservation::Kind kind, const PeerId& peer, const std::optional<IpEndpoint>& ip,
                           std::size_t amount) {
  add(usage_, kind, amount);
  if (ip) add(ips_[*ip], kind, amount);
  if (kind != Reservation::Kind::kHandshake) add(peers_[peer].use, kind, amount);
  if (kind == Reservation::Kind::kConnection) peers_[peer].ip = ip;
  Reservation granted;
  granted.manager_ = this;
  granted.kind_ = kind;
  granted.peer_ = peer;
  granted.ip_ = ip;
  granted.amount_ = amount;
  return granted;
}

Result<Reservation> Manager::handshake(const IpAddress& from) {
  auto granted = grant_handshake(from);
  if (granted) {
    ++handshakes_begun_;
  } else {
    dropped(DropCounters::kHandshakeRefused);
  }
  return granted;
}

Result<Reservation> Manager::grant_handshake(const IpAddress& from) {
  if (admission_) {
    if (const auto admitted = admission_(from); !admitted) return std::unexpected(admitted.error());
  }
  const auto ip = ip_unit(from);
  if (usage_.handshakes >= limits_.handshakes_max) {
    return refuse(LimitCounters::kHandshakes, Code::kLimitHandshakes,
                  "too many handshakes in flight", limits_.handshakes_max);
  }
  // Over half of the places an address has at most a quarter of what is left: a few cannot keep all others out.
  const std::uint32_t left = limits_.handshakes_max - usage_.handshakes;
  const bool crowded = usage_.handshakes > limits_.handshakes_max / 2;
  if (ip && crowded && use_of(ip).handshakes >= std::max(left / 4, 1u)) {
    return refuse(LimitCounters::kHandshakesPerIp, Code::kLimitIp, "too many handshakes in flight, most of one address",
                  std::max(left / 4, 1u));
  }
  if (ip && use_of(ip).handshakes >= limits_.handshakes_per_ip_max) {
    return refuse(LimitCounters::kHandshakesPerIp, Code::kLimitIp,
                  "too many handshakes in flight from one address", limits_.handshakes_per_ip_max);
  }
  return grant(Reservation::Kind::kHandshake, {}, ip, 1);
}

bool Manager::under_load(const IpAddress& from) const {
  if (usage_.handshakes >= limits_.handshakes_max / 2) return true;
  const auto ip = ip_unit(from);
  return ip && use_of(ip).handshakes >= limits_.handshakes_per_ip_max / 2;
}

Result<Reservation> Manager::connection(const PeerId& peer, const IpAddress& address) {
  const auto ip = ip_unit(address);
  if (usage_.connections >= limits_.connections_max) {
    return refuse(LimitCounters::kConnections, Code::kLimitConnections, "too many connections",
                  limits_.connections_max);
  }
  if (use_of(peer).connections >= limits_.connections_per_peer_max) {
    return refuse(LimitCounters::kConnectionsPerPeer, Code::kLimitPeer,
                  "too many connections to one peer", limits_.connections_per_peer_max);
  }
  if (ip && use_of(ip).connections >= limits_.connections_per_ip_max) {
    return refuse(LimitCounters::kConnectionsPerIp, Code::kLimitIp,
                  "too many connections to one address", limits_.connections_per_ip_max);
  }
  return grant(Reservation::Kind::kConnection, peer, ip, 1);
}

Result<Reservation> Manager::stream(const PeerId& peer) {
  const auto ip = ip_of(peer);
  if (usage_.streams >= limits_.streams_max) {
    return refuse(LimitCounters::kStreams, Code::kLimitStreams, "too many streams",
                  limits_.streams_max);
  }
  if (use_of(peer).streams >= limits_.streams_per_peer_max) {
    return refuse(LimitCounters::kStreamsPerPeer, Code::kLimitPeer, "too many streams of one peer",
                  limits_.streams_per_peer_max);
  }
  if (ip && use_of(ip).streams >= limits_.streams_per_ip_max) {
    return refuse(LimitCounters::kStreamsPerIp, Code::kLimitIp, "too many streams of one address",
                  limits_.streams_per_ip_max);
  }
  return grant(Reservation::Kind::kStream, peer, ip, 1);
}

Result<Reservation> Manager::call(const PeerId& peer) {
  const auto ip = ip_of(peer);
  if (usage_.calls >= limits_.calls_max) {
    return refuse(LimitCounters::kCalls, Code::kLimitCalls, "too many calls in flight",
                  limits_.calls_max);
  }
  if (use_of(peer).calls >= limits_.calls_per_peer_max) {
    return refuse(LimitCounters::kCallsPerPeer, Code::kLimitPeer,
                  "too many calls in flight with one peer", limits_.calls_per_peer_max);
  }
  if (ip && use_of(ip).calls >= limits_.calls_per_ip_max) {
    return refuse(LimitCounters::kCallsPerIp, Code::kLimitIp,
                  "too many calls in flight with one address", limits_.calls_per_ip_max);
  }
  return grant(Reservation::Kind::kCall, peer, ip, 1);
}

Result<Reservation> Manager::memory(const PeerId& peer, std::size_t bytes) {
  const auto ip = ip_of(peer);
  if (bytes > room(limits_.memory_max, usage_.memory)) {
    return refuse(LimitCounters::kMemory, Code::kLimitMemory, "the node's memory is used up",
                  limits_.memory_max);
  }
  if (bytes > room(limits_.memory_per_peer_max, use_of(peer).memory)) {
    return refuse(LimitCounters::kMemoryPerPeer, Code::kLimitPeer, "the peer's memory is used up",
                  limits_.memory_per_peer_max);
  }
  if (ip && bytes > room(limits_.memory_per_ip_max, use_of(ip).memory)) {
    return refuse(LimitCounters::kMemoryPerIp, Code::kLimitIp, "the address's memory is used up",
                  limits_.memory_per_ip_max);
  }
  return grant(Reservation::Kind::kMemory, peer, ip, bytes);
}

std::size_t Manager::memory_free(const PeerId& peer) const {
  const auto ip = ip_of(peer);
  const std::size_t free = std::min(room(limits_.memory_max, usage_.memory),
                                    room(limits_.memory_per_peer_max, use_of(peer).memory));
  return ip ? std::min(free, room(limits_.memory_per_ip_max, use_of(ip).memory)) : free;
}

std::size_t Manager::memory_most() const {
  return std::min({limits_.memory_max, limits_.memory_per_peer_max, limits_.memory_per_ip_max});
}

void Manager::give_back(const Reservation& r) noexcept {
  remove(usage_, r.kind_, r.amount_);
  if (r.ip_) {
    const auto it = ips_.find(*r.ip_);
    remove(it->second, r.kind_, r.amount_);
    if (it->second == LimitUsage{}) ips_.erase(it);
  }
  if (r.kind_ == Reservation::Kind::kHandshake) return;
  const auto it = peers_.find(r.peer_);
  remove(it->second.use, r.kind_, r.amount_);
  // Kept while connected: a peer that calls all the time must not make this entry come and go.
  if (it->second.use == LimitUsage{}) peers_.erase(it);
}

}  // namespace p2pa::resource
