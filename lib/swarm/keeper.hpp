#pragma once
// Peers that a node stays connected to: when to dial them again. A pure machine; somebody else dials.

#include <cstdint>
#include <map>
#include <optional>

#include "base/timer_queue.hpp"
#include "crypto/rng.hpp"
#include "p2pagents/error.hpp"
#include "p2pagents/peer_id.hpp"
#include "p2pagents/time.hpp"

namespace p2pa::swarm {

inline constexpr std::size_t kKeptPeersMax = 4096;
/// Between two dials of a peer that does not answer: "decorrelated jitter" (M. Brooker, "Exponential backoff
/// and jitter", 2015): each pause is random between the base and three times the last one.
inline constexpr Duration kRedialBase = milliseconds(250), kRedialMax = seconds(60);
/// A connection that lasted as long shows that all is well: the next pause is a short one again.
inline constexpr Duration kStableAfter = seconds(10);

class Keeper {
 public:
  explicit Keeper(Rng& rng) : rng_(rng) {}

  /// From now on; due at once unless `connected`. kLimitPeer: kKeptPeersMax. Again: nothing changes.
  Result<void> keep(Instant now, const PeerId& peer, bool connected);
  /// False: it was not kept.
  bool forget(const PeerId& peer);
  bool keeps(const PeerId& peer) const { return peers_.contains(peer); }

  // --- what happened; of peers that are not kept it may be told too
  void connected(Instant now, const PeerId& peer);
  /// Its last connection is gone.
  void disconnected(Instant now, const PeerId& peer);
  /// What pop_due() asked for did not work.
  void dial_failed(Instant now, const PeerId& peer);
  /// What did not work before may work now: every peer that is away is due, and the pauses are short again.
  void network_changed(Instant now);

  Instant next_deadline() const { return due_.next(); }
  /// The next peer to dial now; connected() or dial_failed() answers.
  std::optional<PeerId> pop_due(Instant now);

 private:
  enum class State : std::uint8_t { kConnected, kWaiting, kDialing };
  struct Kept {
    State state;
    Duration pause = kRedialBase;  // the last one
    Instant connected_at{};
    bool again = false;  // the network changed while it was dialed
  };
  void wait(Instant now, const PeerId& peer, Kept& kept);

  Rng& rng_;
  std::map<PeerId, Kept> peers_;
  TimerQueue<PeerId, PeerIdHash> due_;
};

}  // namespace p2pa::swarm
