#pragma once
// What is done for connections without being asked: superfluous ones close, dead ones are noticed, kept peers
// are dialed again, rules are held. Joins the machines that decide with the swarm that acts.

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/timer_queue.hpp"
#include "swarm/connection_pool.hpp"
#include "swarm/failure_detector.hpp"
#include "swarm/gater.hpp"
#include "swarm/keeper.hpp"
#include "swarm/quality.hpp"
#include "transport/connection.hpp"

namespace p2pa::swarm {

/// A round trip as short as within a building. Over such links silence is noticed soon even where nobody waits
/// for anything, on so many connections.
inline constexpr Duration kNearRtt = milliseconds(10);
inline constexpr std::size_t kNearWatchedMax = 256;
/// Elsewhere a network may be away for some seconds, and what is under way should outlast that: the heartbeat
/// is so many times as long, and a peer that vanished is noticed in 8 s and not in 3.
inline constexpr std::int64_t kFarHeartbeats = 5;
/// Other connections are looked at that often, only to measure them.
inline constexpr Duration kFirstMeasure = seconds(1), kMeasurePause = seconds(5);

struct CareOptions {
  PoolOptions pool;
  Duration heartbeat = kHeartbeat;  ///< zero: no peer is watched
};

/// A port: what a caretaker asks of whom it works for. Called in a turn or on a deadline.
class CareHost {
 public:
  virtual ~CareHost() = default;
  virtual ConnectionPool::Use use_of(ConnectionId id) const = 0;
  /// `why`: what those who use it are told.
  virtual void close_connection(Connection& connection, std::uint64_t code, const Error& why) = 0;
  virtual void dial_kept(const PeerId& peer) = 0;
};

class Caretaker final {
 public:
  /// REQUIRES that rng and host outlive it.
  Caretaker(const PeerId& self, const CareOptions& options, Rng& rng, CareHost& host);

  Gater& gater() { return gater_; }
  const Gater& gater() const { return gater_; }
  ConnectionPool& pool() { return pool_; }
  const ConnectionPool& pool() const { return pool_; }
  const Keeper& keeper() const { return keeper_; }
  /// kLimitPeer: kKeptPeersMax.
  Result<void> keep(Instant now, const PeerId& peer, bool connected);
  bool unkeep(const PeerId& peer);

  // --- what happened
  void connected(Instant now, Connection& connection);
  /// `last`: no other connection to the peer is left.
  void disconnected(Instant now, const Connection& connection, bool last);
  /// A stream began where there was none.
  void began_use(Instant now, const Connection& connection);
  /// That dial_kept() asked for.
  void dial_ended(Instant now, const PeerId& peer, bool reached);
  /// The host has these addresses now. Connections from others are lost, the rest is asked whether it lives.
  void network_changed(Instant now, const std::vector<IpAddress>& addresses);

  /// As of its last sample; null when it is unknown.
  const Quality* quality(ConnectionId id) const;
  /// The same as of now.
  const Quality* measure(Instant now, const Connection& connection);
  Duration age(Instant now, ConnectionId id) const;
  /// To open a stream on: those that take new ones, the best first; then those that drain. REQUIRES that all
  /// are connections that it knows.
  std::vector<ConnectionId> ranked(std::vector<ConnectionId> connections) const;

  Instant next_deadline() const;
  void on_deadline(Instant now);

 private:
  struct Watched {
    Connection* connection;
    Instant since;
    Quality quality;
    std::optional<FailureDetector> detector;  // while it matters soon that the peer lives
    bool near = false;                        // counted in near_
  };

  bool matters(const Connection& connection, Watched& watched);
  void look(Instant now, ConnectionId id, Watched& watched);
  Duration heartbeat_of(const Watched& watched) const;
  void judge(Instant now, Watched& watched);
  void close_superfluous();

  const CareOptions options_;
  CareHost& host_;
  Gater gater_;
  ConnectionPool pool_;
  Keeper keeper_;
  std::map<ConnectionId, Watched> watched_;
  TimerQueue<ConnectionId> looks_;
  std::size_t near_ = 0;
};

}  // namespace p2pa::swarm
