#pragma once
// Which connections a node keeps. A pure machine: it is told what comes and goes, and says which connections
// take no new streams any more (they drain) and which are to be closed. Nothing that is in use is cut at once.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "p2pagents/time.hpp"
#include "swarm/duplicates.hpp"

namespace p2pa::swarm {

/// A connection that is too many closes when no stream was on it for this long, so that what the peer began on
/// it meanwhile has arrived. The end that dialed it is the first: the other end has heard of the better one
/// before it, most often, and begins nothing on it.
inline constexpr Duration kDrainQuiet = seconds(5), kDrainQuietInbound = seconds(15);
/// A duplicate whose streams do not end is closed all the same: longer than what answers to anything takes.
inline constexpr Duration kDrainMax = hours(1);
/// The same for a connection that goes because there are too many of all peers.
inline constexpr Duration kTrimMax = seconds(30);
/// Draining connections are looked at that often.
inline constexpr Duration kDrainLook = seconds(1);
/// Between two trims, as go-libp2p has it.
inline constexpr Duration kTrimInterval = seconds(10);
/// Tags of one peer, and peers with any.
inline constexpr std::size_t kTagsMax = 64, kTaggedPeersMax = 65'536;

struct PoolOptions {
  std::size_t low_water = 0, high_water = 0;  ///< connections; high_water 0: none is ever trimmed
  Duration grace = seconds(20);               ///< a new one is not trimmed
  Duration idle_close{};                      ///< zero: idle ones stay
  std::size_t kept_per_peer = 1;              ///< what is more are duplicates; zero: all stay
};

class ConnectionPool {
 public:
  /// What is on a connection now, and was ever.
  struct Use {
    std::uint32_t streams = 0;
    std::uint64_t streams_ever = 0;
    Instant heard_at{};  ///< the last packet of the peer
  };
  using UseOf = std::function<Use(ConnectionId)>;
  enum class Reason : std::uint8_t { kDuplicate, kTrimmed, kIdle };
  struct Verdict {
    ConnectionId connection;
    Reason reason;
  };

  ConnectionPool(const PeerId& self, const PoolOptions& options, UseOf use);

  void add(Instant now, ConnectionId id, const PeerId& peer, Carrier carrier, bool outbound);
  void remove(ConnectionId id);
  std::size_t size() const { return entries_.size(); }

  /// May new streams begin on it? False while it drains.
  bool takes_streams(ConnectionId id) const;
  /// Of the duplicates of this peer that will stay, those that should prove that they live: until they were
  /// heard after the other came, that one does not drain.
  std::vector<ConnectionId> to_prove(const PeerId& peer) const;
  /// The peers that have such.
  const std::set<PeerId>& disputed() const { return disputed_; }

  /// A peer with any of these is neither trimmed nor closed for idleness, whatever the tag says.
  /// kLimitPeer: kTagsMax, kTaggedPeersMax.
  Result<void> protect(const PeerId& peer, const std::string& tag);
  /// True: other tags protect it still.
  bool unprotect(const PeerId& peer, const std::string& tag);
  bool is_protected(const PeerId& peer) const;
  /// What a peer is worth to whom names the tag; the sum decides who is trimmed first. Zero forgets the tag.
  Result<void> set_value(const PeerId& peer, const std::string& tag, int value);

  Instant next_deadline() const;
  void on_deadline(Instant now);
  /// The next connection to close, oldest verdict first; each is named once.
  std::optional<Verdict> poll_verdict();

 private:
  struct Entry {
    PeerId peer;
    Carrier carrier;
    bool outbound;
    Instant since;
    std::optional<Reason> drains;
    Instant drains_since{};
    Instant quiet_since{};  // no stream was on it from here on
    std::uint64_t streams_ever = 0;
    bool closing = false;
  };
  struct Tags {
    std::set<std::string, std::less<>> protections;
    std::map<std::string, int> values;
    bool empty() const { return protections.empty() && values.empty(); }
  };
  using Entries = std::map<ConnectionId, Entry>;  // walked: in the order of their age

  std::vector<ConnectionId> surplus_of(const PeerId& peer) const;
  /// Begins to drain what is too many, once what stays was heard. False: it is not yet.
  bool settle(Instant now, const PeerId& peer);
  void drain(Instant now, Entry& entry, Reason reason);
  void look_at(Instant now, ConnectionId id, Entry& entry);
  void trim(Instant now);
  void close(ConnectionId id, Entry& entry, Reason reason);
  std::int64_t value_of(const PeerId& peer) const;
  Result<Tags*> tags_of(const PeerId& peer);
  void forget_if_empty(const PeerId& peer);

  const PeerId self_;
  const PoolOptions options_;
  const UseOf use_;
  Entries entries_;
  std::map<PeerId, std::vector<ConnectionId>> peers_;
  std::map<PeerId, Tags> tags_;
  std::set<PeerId> disputed_;  // have duplicates, and nothing drains yet
  std::size_t draining_ = 0;
  Instant look_at_ = kNever, trim_at_ = kNever, trimmed_at_{};
  std::deque<Verdict> verdicts_;
};

}  // namespace p2pa::swarm
