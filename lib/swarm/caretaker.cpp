#include "swarm/caretaker.hpp"

#include <algorithm>

namespace p2pa::swarm {
namespace {

// Over one byte stream a probe waits behind what was written before: the answer may take long, and says nothing.
constexpr std::size_t kQueueJudgedMax = 64 * 1024;
// What is lost there is sent again after a time-out that doubles (RFC 6298), and holds up all that is behind it.
constexpr std::int64_t kStreamRoundTrips = 3;

// Protects whom the node keeps.
constexpr const char* kKeptTag = "p2pagents/kept";

constexpr Error kSilent{Code::kConnectionLost, 0, "the peer has gone without a word"};
constexpr Error kAddressGone{Code::kConnectionLost, 0, "this host does not have the connection's address any more"};

struct Ending {
  std::uint64_t code;
  Error why;
};

Ending ending_of(ConnectionPool::Reason reason) {
  using Reason = ConnectionPool::Reason;
  switch (reason) {
    case Reason::kDuplicate:
      return {wire_code::kConnSupplanted, {Code::kClosed, wire_code::kConnSupplanted, "another connection is better"}};
    case Reason::kTrimmed:
      return {wire_code::kConnGarbageCollected,
              {Code::kClosed, wire_code::kConnGarbageCollected, "there are too many connections"}};
    case Reason::kIdle: break;
  }
  return {wire_code::kConnGarbageCollected, {Code::kClosed, wire_code::kConnGarbageCollected, "nobody uses it"}};
}

}  // namespace

Caretaker::Caretaker(const PeerId& self, const CareOptions& options, Rng& rng, CareHost& host)
    : options_(options),
      host_(host),
      pool_(self, options.pool, [this](ConnectionId id) { return host_.use_of(id); }),
      keeper_(rng) {}

Result<void> Caretaker::keep(Instant now, const PeerId& peer, bool connected) {
  if (auto kept = keeper_.keep(now, peer, connected); !kept) return kept;
  if (auto safe = pool_.protect(peer, kKeptTag); !safe) {
    keeper_.forget(peer);
    return safe;
  }
  for (const auto& [id, watched] : watched_) {
    if (watched.connection->peer() == peer) began_use(now, *watched.connection);
  }
  return {};
}

bool Caretaker::unkeep(const PeerId& peer) {
  pool_.unprotect(peer, kKeptTag);
  return keeper_.forget(peer);
}

// --- what happened

void Caretaker::connected(Instant now, Connection& connection) {
  pool_.add(now, connection.id(), connection.peer(), carrier_of(connection.remote_address()), connection.outbound());
  keeper_.connected(now, connection.peer());
  Watched& watched = watched_.emplace(connection.id(), Watched{&connection, now, {}, {}}).first->second;
  watched.quality.sample(now, connection.stats(now));
  if (options_.heartbeat.ns > 0) look(now, connection.id(), watched);
  if (options_.heartbeat.ns > 0 && !watched.detector) looks_.set(connection.id(), now + kFirstMeasure);
}

void Caretaker::disconnected(Instant now, const Connection& connection, bool last) {
  const auto it = watched_.find(connection.id());
  if (it == watched_.end()) return;
  if (it->second.near) --near_;
  watched_.erase(it);
  looks_.cancel(connection.id());
  pool_.remove(connection.id());
  if (last) keeper_.disconnected(now, connection.peer());
}

void Caretaker::began_use(Instant now, const Connection& connection) {
  const auto it = watched_.find(connection.id());
  if (it != watched_.end() && !it->second.detector && options_.heartbeat.ns > 0) look(now, it->first, it->second);
}

void Caretaker::dial_ended(Instant now, const PeerId& peer, bool reached) {
  if (reached) {
    keeper_.connected(now, peer);
  } else {
    keeper_.dial_failed(now, peer);
  }
}

void Caretaker::network_changed(Instant now, const std::vector<IpAddress>& addresses) {
  std::vector<Connection*> all;
  for (const auto& [id, watched] : watched_) all.push_back(watched.connection);
  for (Connection* connection : all) {
    const auto local = ip_address(connection->local_address());
    const bool ours = !local || local->is_unspecified() || local->is_loopback() ||
                      std::ranges::find(addresses, *local) != addresses.end();
    if (!ours) {
      host_.close_connection(*connection, wire_code::kNone, kAddressGone);
      continue;
    }
    // Over UDP the first packet from the new address is what moves the connection there.
    connection->probe();
    Watched& watched = watched_.at(connection->id());
    if (!watched.detector) continue;
    watched.detector->doubt(now);
    looks_.set(connection->id(), now);
  }
  keeper_.network_changed(now);
}

// --- how good they are

const Quality* Caretaker::quality(ConnectionId id) const {
  const auto it = watched_.find(id);
  return it == watched_.end() ? nullptr : &it->second.quality;
}

const Quality* Caretaker::measure(Instant now, const Connection& connection) {
  const auto it = watched_.find(connection.id());
  if (it == watched_.end()) return nullptr;
  it->second.quality.sample(now, connection.stats(now));
  return &it->second.quality;
}

Duration Caretaker::age(Instant now, ConnectionId id) const {
  const auto it = watched_.find(id);
  return it == watched_.end() ? Duration{} : now - it->second.since;
}

std::vector<ConnectionId> Caretaker::ranked(std::vector<ConnectionId> connections) const {
  if (connections.size() < 2) return connections;
  struct Ranked {
    bool drains, doubtful;
    double wait;
    ConnectionId id;
    auto operator<=>(const Ranked&) const = default;
  };
  std::vector<Ranked> all;
  for (const ConnectionId id : connections) {
    const Watched& watched = watched_.at(id);
    const Choice choice{watched.quality.cost(), host_.use_of(id).streams};
    const bool doubtful = watched.detector && watched.detector->doubtful();
    all.push_back({!pool_.takes_streams(id), doubtful, choice.wait(), id});
  }
  std::ranges::sort(all);
  std::ranges::transform(all, connections.begin(), &Ranked::id);
  return connections;
}

// --- time

Instant Caretaker::next_deadline() const {
  return std::min({looks_.next(), pool_.next_deadline(), keeper_.next_deadline()});
}

void Caretaker::on_deadline(Instant now) {
  while (const auto id = looks_.pop_due(now)) look(now, *id, watched_.at(*id));
  if (pool_.next_deadline() <= now) {
    pool_.on_deadline(now);
    close_superfluous();
    for (const PeerId& peer : pool_.disputed()) {
      for (const ConnectionId id : pool_.to_prove(peer)) watched_.at(id).connection->probe();
    }
  }
  while (const auto peer = keeper_.pop_due(now)) host_.dial_kept(*peer);
}

/// Is it to be noticed soon when this peer vanishes? When somebody waits for it, when it is kept, and when it
/// is so near that asking costs next to nothing.
bool Caretaker::matters(const Connection& connection, Watched& watched) {
  if (connection.heard_at() == kNever) return false;
  if (!watched.near && near_ < kNearWatchedMax) {
    const Duration rtt = connection.stats({}).rtt_min;
    watched.near = rtt.ns > 0 && rtt <= kNearRtt;
    if (watched.near) ++near_;
  }
  return watched.near || keeper_.keeps(connection.peer()) || host_.use_of(connection.id()).streams > 0;
}

void Caretaker::look(Instant now, ConnectionId id, Watched& watched) {
  watched.quality.sample(now, watched.connection->stats(now));
  const bool was_near = watched.near;
  const bool matter = matters(*watched.connection, watched);
  if (!matter || watched.near != was_near) watched.detector.reset();
  if (!matter) {
    return looks_.set(id, now + kMeasurePause);
  }
  if (!watched.detector) watched.detector.emplace(now, heartbeat_of(watched));
  judge(now, watched);
}

Duration Caretaker::heartbeat_of(const Watched& watched) const {
  return watched.near ? options_.heartbeat : options_.heartbeat * kFarHeartbeats;
}

void Caretaker::judge(Instant now, Watched& watched) {
  Connection& connection = *watched.connection;
  FailureDetector& detector = *watched.detector;
  const bool in_order = carrier_of(connection.remote_address()) <= Carrier::kStream;
  if (in_order && connection.undelivered() > kQueueJudgedMax) detector = FailureDetector(now, heartbeat_of(watched));
  const Duration answer = watched.quality.rtt() * (in_order ? kStreamRoundTrips : 1);
  switch (detector.look(now, connection.heard_at(), answer)) {
    case FailureDetector::Verdict::kDead:
      return host_.close_connection(connection, wire_code::kNone, kSilent);
    case FailureDetector::Verdict::kProbe: connection.probe(); break;
    case FailureDetector::Verdict::kAlive: break;
  }
  looks_.set(connection.id(), detector.next_deadline());
}

void Caretaker::close_superfluous() {
  while (const auto verdict = pool_.poll_verdict()) {
    const Ending ending = ending_of(verdict->reason);
    host_.close_connection(*watched_.at(verdict->connection).connection, ending.code, ending.why);
  }
}

}  // namespace p2pa::swarm
