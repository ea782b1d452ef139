#include "swarm/keeper.hpp"

#include <algorithm>

namespace p2pa::swarm {

Result<void> Keeper::keep(Instant now, const PeerId& peer, bool connected) {
  if (keeps(peer)) return {};
  if (peers_.size() >= kKeptPeersMax) return fail(Code::kLimitPeer, "too many peers are kept", kKeptPeersMax);
  peers_.emplace(peer, Kept{.state = connected ? State::kConnected : State::kWaiting, .connected_at = now});
  if (!connected) due_.set(peer, now);
  return {};
}

bool Keeper::forget(const PeerId& peer) {
  due_.cancel(peer);
  return peers_.erase(peer) > 0;
}

void Keeper::connected(Instant now, const PeerId& peer) {
  const auto it = peers_.find(peer);
  if (it == peers_.end() || it->second.state == State::kConnected) return;
  it->second.state = State::kConnected;
  it->second.connected_at = now;
  due_.cancel(peer);
}

void Keeper::disconnected(Instant now, const PeerId& peer) {
  const auto it = peers_.find(peer);
  if (it == peers_.end() || it->second.state != State::kConnected) return;
  if (now - it->second.connected_at >= kStableAfter) it->second.pause = kRedialBase;
  wait(now, peer, it->second);
}

void Keeper::dial_failed(Instant now, const PeerId& peer) {
  const auto it = peers_.find(peer);
  if (it == peers_.end() || it->second.state != State::kDialing) return;
  if (it->second.again) {
    it->second.pause = kRedialBase;
    it->second.state = State::kWaiting;
    due_.set(peer, now);
    return;
  }
  wait(now, peer, it->second);
}

void Keeper::wait(Instant now, const PeerId& peer, Kept& kept) {
  const Duration spread = std::min(kept.pause * 3, kRedialMax) - kRedialBase;
  kept.pause = kRedialBase + Duration{static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(spread.ns) + 1))};
  kept.state = State::kWaiting;
  due_.set(peer, now + kept.pause);
}

void Keeper::network_changed(Instant now) {
  for (auto& [peer, kept] : peers_) {
    kept.pause = kRedialBase;
    if (kept.state == State::kWaiting) due_.set(peer, now);
    if (kept.state == State::kDialing) kept.again = true;
  }
}

std::optional<PeerId> Keeper::pop_due(Instant now) {
  const auto peer = due_.pop_due(now);
  if (!peer) return std::nullopt;
  Kept& kept = peers_.at(*peer);
  kept.state = State::kDialing;
  kept.again = false;
  return peer;
}

}  // namespace p2pa::swarm
