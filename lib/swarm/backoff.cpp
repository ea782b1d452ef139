#include "swarm/backoff.hpp"

#include <algorithm>

namespace p2pa::swarm {
namespace {

/// From here on kBackoffMax holds, and the square is still small.
constexpr std::uint32_t kFailuresMax = 32;
static_assert(kBackoffStep * (std::int64_t{kFailuresMax - 1} * (kFailuresMax - 1)) >= kBackoffMax);

Duration length_after(std::uint32_t failures) {
  const std::int64_t n = std::int64_t{failures} - 1;
  return std::min(kBackoffMax, kBackoffBase + kBackoffStep * (n * n));
}

}  // namespace

void Backoff::failed(Instant now, const PeerId& peer, const Multiaddr& address, const Error& why) {
  const auto key = std::pair(peer, address.without_peer_id());
  auto it = entries_.find(key);
  if (it == entries_.end()) {
    if (entries_.size() >= kBackoffsMax) make_room(now);
    it = entries_.emplace(key, Entry{}).first;
  }
  Entry& entry = it->second;
  if (now >= entry.forgotten_at()) entry.failures = 0;
  entry.failures = std::min(entry.failures + 1, kFailuresMax);
  entry.length = length_after(entry.failures);
  entry.until = now + entry.length;
  entry.why = why;
}

void Backoff::worked(const PeerId& peer, const Multiaddr& address) {
  entries_.erase({peer, address.without_peer_id()});
}

const Error* Backoff::holds(Instant now, const PeerId& peer, const Multiaddr& address, bool from_host) const {
  const auto it = entries_.find({peer, address.without_peer_id()});
  if (it == entries_.end()) return nullptr;
  const Entry& entry = it->second;
  const Instant until = from_host ? entry.failed_at() + kHostBackoff : entry.until;
  return now < until ? &entry.why : nullptr;
}

void Backoff::make_room(Instant now) {
  std::erase_if(entries_, [&](const auto& entry) { return now >= entry.second.forgotten_at(); });
  if (entries_.size() < kBackoffsMax) return;
  entries_.erase(std::ranges::min_element(entries_, {}, [](const auto& entry) { return entry.second.until; }));
}

}  // namespace p2pa::swarm
