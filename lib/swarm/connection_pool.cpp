#include "swarm/connection_pool.hpp"

#include <algorithm>
#include <tuple>

#include "base/assert.hpp"

namespace p2pa::swarm {

ConnectionPool::ConnectionPool(const PeerId& self, const PoolOptions& options, UseOf use)
    : self_(self), options_(options), use_(std::move(use)) {}

void ConnectionPool::add(Instant now, ConnectionId id, const PeerId& peer, Carrier carrier, bool outbound) {
  entries_.emplace(id, Entry{peer, carrier, outbound, now, {}, {}, now});
  auto& connections = peers_[peer];
  connections.push_back(id);
  if (options_.kept_per_peer > 0 && connections.size() > options_.kept_per_peer) {
    disputed_.insert(peer);
    look_at_ = std::min(look_at_, now);
  }
  if (options_.idle_close.ns > 0) look_at_ = std::min(look_at_, now + options_.idle_close);
  if (options_.high_water > 0 && entries_.size() > options_.high_water && trim_at_ == kNever) {
    trim_at_ = std::max(now, trimmed_at_ + kTrimInterval);
  }
}

void ConnectionPool::remove(ConnectionId id) {
  const auto it = entries_.find(id);
  P2PA_ASSERT(it != entries_.end());
  const PeerId peer = it->second.peer;
  if (it->second.drains) --draining_;
  entries_.erase(it);
  std::erase_if(verdicts_, [&](const Verdict& v) { return v.connection == id; });
  auto& left = peers_.at(peer);
  std::erase(left, id);
  // The one that should stay is gone: what was too many is wanted again.
  const std::vector<ConnectionId> still = surplus_of(peer);
  for (const ConnectionId other : left) {
    Entry& entry = entries_.at(other);
    if (entry.closing || entry.drains != Reason::kDuplicate || std::ranges::find(still, other) != still.end()) continue;
    entry.drains.reset();
    --draining_;
  }
  if (still.empty()) disputed_.erase(peer);
  if (left.empty()) peers_.erase(peer);
}

bool ConnectionPool::takes_streams(ConnectionId id) const {
  const auto it = entries_.find(id);
  return it != entries_.end() && !it->second.drains;
}

// --- duplicates

std::vector<ConnectionId> ConnectionPool::surplus_of(const PeerId& peer) const {
  std::vector<Duplicate> all;
  const auto known = peers_.find(peer);
  if (known == peers_.end()) return {};
  for (const ConnectionId id : known->second) {
    const Entry& entry = entries_.at(id);
    // What goes for another reason is none to stay for.
    if (entry.closing || (entry.drains && *entry.drains != Reason::kDuplicate)) continue;
    all.push_back({id, entry.carrier, entry.outbound, entry.outbound == (self_ < peer)});
  }
  return surplus(std::move(all), options_.kept_per_peer);
}

bool ConnectionPool::settle(Instant now, const PeerId& peer) {
  if (!to_prove(peer).empty()) return false;
  for (const ConnectionId id : surplus_of(peer)) {
    Entry& entry = entries_.at(id);
    if (!entry.drains) drain(now, entry, Reason::kDuplicate);
  }
  return true;
}

std::vector<ConnectionId> ConnectionPool::to_prove(const PeerId& peer) const {
  std::vector<ConnectionId> out;
  const std::vector<ConnectionId> doomed = surplus_of(peer);
  if (doomed.empty()) return out;
  Instant since{};
  for (const ConnectionId id : doomed) since = std::max(since, entries_.at(id).since);
  for (const ConnectionId id : peers_.at(peer)) {
    const bool stays = !entries_.at(id).drains && std::ranges::find(doomed, id) == doomed.end();
    if (stays && use_(id).heard_at < since) out.push_back(id);
  }
  return out;
}

void ConnectionPool::drain(Instant now, Entry& entry, Reason reason) {
  entry.drains = reason;
  entry.drains_since = entry.quiet_since = now;
  ++draining_;
  look_at_ = std::min(look_at_, now + kDrainLook);
}

// --- what is worth keeping

Result<ConnectionPool::Tags*> ConnectionPool::tags_of(const PeerId& peer) {
  const auto it = tags_.find(peer);
  if (it == tags_.end() && tags_.size() >= kTaggedPeersMax) {
    return fail(Code::kLimitPeer, "too many peers have tags", kTaggedPeersMax);
  }
  Tags& tags = it == tags_.end() ? tags_[peer] : it->second;
  if (tags.protections.size() + tags.values.size() >= kTagsMax) {
    return fail(Code::kLimitPeer, "the peer has too many tags", kTagsMax);
  }
  return &tags;
}

void ConnectionPool::forget_if_empty(const PeerId& peer) {
  const auto it = tags_.find(peer);
  if (it != tags_.end() && it->second.empty()) tags_.erase(it);
}

Result<void> ConnectionPool::protect(const PeerId& peer, const std::string& tag) {
  const auto known = tags_.find(peer);
  if (known != tags_.end() && known->second.protections.contains(tag)) return {};
  const auto tags = tags_of(peer);
  if (!tags) return std::unexpected(tags.error());
  (*tags)->protections.insert(tag);
  return {};
}

bool ConnectionPool::unprotect(const PeerId& peer, const std::string& tag) {
  const auto it = tags_.find(peer);
  if (it == tags_.end()) return false;
  it->second.protections.erase(tag);
  const bool left = !it->second.protections.empty();
  forget_if_empty(peer);
  return left;
}

bool ConnectionPool::is_protected(const PeerId& peer) const {
  const auto it = tags_.find(peer);
  return it != tags_.end() && !it->second.protections.empty();
}

Result<void> ConnectionPool::set_value(const PeerId& peer, const std::string& tag, int value) {
  const auto known = tags_.find(peer);
  const bool has = known != tags_.end() && known->second.values.contains(tag);
  if (value == 0) {
    if (has) known->second.values.erase(tag);
    forget_if_empty(peer);
    return {};
  }
  if (has) {
    known->second.values[tag] = value;
    return {};
  }
  const auto tags = tags_of(peer);
  if (!tags) return std::unexpected(tags.error());
  (*tags)->values.emplace(tag, value);
  return {};
}

std::int64_t ConnectionPool::value_of(const PeerId& peer) const {
  const auto it = tags_.find(peer);
  std::int64_t sum = 0;
  if (it == tags_.end()) return sum;
  for (const auto& [tag, value] : it->second.values) sum += value;
  return sum;
}

/// The least valuable first, until the low water mark is reached: peers of little value, connections
/// that nobody uses, such as others made, those with few streams, old ones.
void ConnectionPool::trim(Instant now) {
  trimmed_at_ = now;
  struct Victim {
    std::int64_t value;
    std::uint32_t streams;
    bool outbound;
    ConnectionId id;
    auto key() const { return std::tuple(value, streams > 0, outbound, streams, id); }
  };
  std::vector<Victim> victims;
  for (const auto& [id, entry] : entries_) {
    if (entry.drains || now - entry.since < options_.grace || is_protected(entry.peer)) continue;
    victims.push_back({value_of(entry.peer), use_(id).streams, entry.outbound, id});
  }
  std::ranges::sort(victims, {}, &Victim::key);
  const std::size_t staying = entries_.size() - draining_;
  const std::size_t wanted = staying - std::min(staying, options_.low_water);
  for (std::size_t i = 0; i < std::min(wanted, victims.size()); ++i) {
    Entry& entry = entries_.at(victims[i].id);
    drain(now, entry, Reason::kTrimmed);
    if (victims[i].streams == 0) close(victims[i].id, entry, Reason::kTrimmed);
  }
  // What is too new now may go the next time.
  trim_at_ = entries_.size() - draining_ > options_.high_water ? now + kTrimInterval : kNever;
}

// --- time

Instant ConnectionPool::next_deadline() const { return std::min(look_at_, trim_at_); }

void ConnectionPool::on_deadline(Instant now) {
  if (trim_at_ <= now) trim(now);
  if (look_at_ > now) return;
  look_at_ = kNever;
  std::erase_if(disputed_, [&](const PeerId& peer) { return settle(now, peer); });
  for (auto& [id, entry] : entries_) {
    if (!entry.closing) look_at(now, id, entry);
  }
  if (draining_ > 0 || !disputed_.empty()) look_at_ = std::min(look_at_, now + kDrainLook);
}

void ConnectionPool::look_at(Instant now, ConnectionId id, Entry& entry) {
  if (!entry.drains && options_.idle_close.ns == 0) return;
  const Use use = use_(id);
  if (use.streams > 0 || use.streams_ever != entry.streams_ever) entry.quiet_since = now;
  entry.streams_ever = use.streams_ever;
  const Duration quiet = now - entry.quiet_since;
  if (!entry.drains) {
    if (is_protected(entry.peer)) entry.quiet_since = now;
    if (quiet >= options_.idle_close && !is_protected(entry.peer)) {
      drain(now, entry, Reason::kIdle);
      return close(id, entry, Reason::kIdle);
    }
    look_at_ = std::min(look_at_, entry.quiet_since + options_.idle_close);
    return;
  }
  const bool duplicate = *entry.drains == Reason::kDuplicate;
  const Duration enough = !duplicate ? Duration{0} : entry.outbound ? kDrainQuiet : kDrainQuietInbound;
  const bool empty = use.streams == 0 && quiet >= enough;
  if (empty || now - entry.drains_since >= (duplicate ? kDrainMax : kTrimMax)) close(id, entry, *entry.drains);
}

void ConnectionPool::close(ConnectionId id, Entry& entry, Reason reason) {
  entry.closing = true;
  verdicts_.push_back({id, reason});
}

std::optional<ConnectionPool::Verdict> ConnectionPool::poll_verdict() {
  if (verdicts_.empty()) return std::nullopt;
  const Verdict out = verdicts_.front();
  verdicts_.pop_front();
  return out;
}

}  // namespace p2pa::swarm
