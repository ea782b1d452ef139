#pragma once
// The bounds of a node, counted in one place. Who wants something reserves it first; what is over a
// bound is refused with the bound's own code, and counted.

#include <cstdint>
#include <unordered_map>

#include "address/ip_endpoint.hpp"
#include "p2pagents/error.hpp"
#include "p2pagents/limits.hpp"
#include "p2pagents/peer_id.hpp"

namespace p2pa::resource {

class Manager;

/// What was granted; given back when it goes. Movable, empty by default.
class Reservation {
 public:
  Reservation() = default;
  Reservation(Reservation&& o) noexcept;
  Reservation& operator=(Reservation&& o) noexcept;
  ~Reservation() { release(); }
  void release() noexcept;
  explicit operator bool() const { return manager_ != nullptr; }

 private:
  friend class Manager;
  enum class Kind : std::uint8_t { kHandshake, kConnection, kStream, kCall, kMemory };
  Manager* manager_ = nullptr;
  Kind kind_ = Kind::kHandshake;
  PeerId peer_;
  IpAddress ip_;
  std::size_t amount_ = 0;
};

/// Outlives every Reservation.
class Manager {
 public:
  explicit Manager(const Limits& limits) : limits_(limits) {}
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  const Limits& limits() const { return limits_; }
  const LimitCounters& counters() const { return counters_; }

  /// An inbound handshake from this address. kLimitHandshakes, kLimitIp.
  Result<Reservation> handshake(const IpAddress& from);
  /// Would one more inbound handshake be above half the bound (then ask for Retry)?
  bool under_load() const;
  /// kLimitConnections, kLimitPeer, kLimitIp.
  Result<Reservation> connection(const PeerId& peer, const IpAddress& ip);
  /// kLimitStreams, kLimitPeer.
  Result<Reservation> stream(const PeerId& peer);
  /// kLimitCalls, kLimitPeer.
  Result<Reservation> call(const PeerId& peer);
  /// kLimitMemory, kLimitPeer; detail: the bound in bytes.
  Result<Reservation> memory(const PeerId& peer, std::size_t bytes);

  const LimitUsage& usage() const { return usage_; }

 private:
  friend class Reservation;
  struct PeerUse {
    std::uint32_t connections = 0, streams = 0, calls = 0;
    std::size_t memory = 0;
    bool operator==(const PeerUse&) const = default;
  };
  struct IpUse {
    std::uint32_t handshakes = 0, connections = 0;
  };
  std::unexpected<Error> refuse(LimitCounters::Which which, Code code, const char* why,
                                std::uint64_t bound);
  Reservation grant(Reservation::Kind kind, const PeerId& peer, const IpAddress& ip,
                    std::size_t amount);
  void give_back(const Reservation& r) noexcept;

  Limits limits_;
  LimitCounters counters_;
  LimitUsage usage_;
  std::unordered_map<PeerId, PeerUse, PeerIdHash> peers_;
  std::unordered_map<IpEndpoint, IpUse, IpEndpointHash> ips_;  // port 0; IPv6 cut to its /64
};

}  // namespace p2pa::resource
