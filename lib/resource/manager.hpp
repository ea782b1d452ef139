#pragma once
// The bounds of a node, counted in one place. Who wants something reserves it first; what is over a
// bound is refused with the bound's own code, and counted.

#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>

#include "address/ip_endpoint.hpp"
#include "p2pagents/drops.hpp"
#include "p2pagents/error.hpp"
#include "p2pagents/limits.hpp"
#include "p2pagents/peer_id.hpp"
#include "shaping/shaper.hpp"

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
  std::optional<IpEndpoint> ip_;  // that it counts for
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
  const DropCounters& drops() const { return drops_; }
  /// Something of a peer's, or of nobody's, came to nothing.
  void dropped(DropCounters::Which reason) { ++drops_.dropped[reason]; }
  /// Inbound handshakes that were granted since the node began: each may cost a signature.
  std::uint64_t handshakes_begun() const { return handshakes_begun_; }

  /// Is asked before every inbound handshake; none: everybody may.
  using Admission = std::move_only_function<Result<void>(const IpAddress& from)>;
  void set_admission(Admission admission) { admission_ = std::move(admission); }

  /// An inbound handshake from this address; a crowd leaves each less. kLimitHandshakes, kLimitIp, and what the
  /// admission says.
  Result<Reservation> handshake(const IpAddress& from);
  /// Would one more inbound handshake be above half the bound, the node's or this address's? Then ask for
  /// Retry: whoever only claims an address must not use up what its owner may have.
  bool under_load(const IpAddress& from) const;
  /// kLimitConnections, kLimitPeer, kLimitIp.
  Result<Reservation> connection(const PeerId& peer, const IpAddress& ip);
  /// kLimitStreams, kLimitPeer, kLimitIp: of the address of the peer's newest connection, here and below.
  Result<Reservation> stream(const PeerId& peer);
  /// kLimitCalls, kLimitPeer, kLimitIp.
  Result<Reservation> call(const PeerId& peer);
  /// kLimitMemory, kLimitPeer, kLimitIp; detail: the bound in bytes.
  Result<Reservation> memory(const PeerId& peer, std::size_t bytes);
  /// The most that memory() would grant now. Whoever was refused looks here whether to try again.
  std::size_t memory_free(const PeerId& peer) const;
  /// The most that it grants to one peer when nothing is in use.
  std::size_t memory_most() const;

  const LimitUsage& usage() const { return usage_; }

  /// Of bytes a second: who moves some asks there.
  shaping::Shaper& shaper() { return shaper_; }

 private:
  friend class Reservation;
  struct PeerUse {
    LimitUsage use;
    std::optional<IpEndpoint> ip;  // of the newest connection
  };
  using Peers = std::unordered_map<PeerId, PeerUse, PeerIdHash>;
  using Ips = std::unordered_map<IpEndpoint, LimitUsage, IpEndpointHash>;

  static void add(LimitUsage& use, Reservation::Kind kind, std::size_t amount);
  static void remove(LimitUsage& use, Reservation::Kind kind, std::size_t amount);
  LimitUsage use_of(const PeerId& peer) const;
  LimitUsage use_of(const std::optional<IpEndpoint>& ip) const;
  std::optional<IpEndpoint> ip_of(const PeerId& peer) const;
  std::unexpected<Error> refuse(LimitCounters::Which which, Code code, const char* why,
                                std::uint64_t bound);
  Result<Reservation> grant_handshake(const IpAddress& from);
  Reservation grant(Reservation::Kind kind, const PeerId& peer, const std::optional<IpEndpoint>& ip,
                    std::size_t amount);
  void give_back(const Reservation& r) noexcept;

  Limits limits_;
  shaping::Shaper shaper_;
  Admission admission_;
  LimitCounters counters_;
  DropCounters drops_;
  std::uint64_t handshakes_begun_ = 0;
  LimitUsage usage_;
  Peers peers_;
  Ips ips_;  // port 0; IPv6 cut to its /64
};

}  // namespace p2pa::resource
