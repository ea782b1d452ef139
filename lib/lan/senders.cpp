#include "lan/senders.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "lan/recent_numbers.hpp"

namespace p2pa::lan {

Senders::Standing Senders::standing(const PeerId& peer, const Id16& session, std::uint64_t number) const {
  const auto it = senders_.find(peer);
  if (it == senders_.end() || it->second.session != session) return Standing::kUnknown;
  if (!it->second.window.fresh(number)) return Standing::kSeen;
  return number < it->second.oldest ? Standing::kStale : Standing::kFresh;
}

void Senders::mark(Instant now, const PeerId& peer, std::uint64_t number) {
  const auto it = senders_.find(peer);
  P2PA_ASSERT(it != senders_.end());
  it->second.window.mark(number);
  it->second.heard = now;
}

bool Senders::prove(Instant now, const PeerId& peer, const Id16& session, std::uint64_t oldest) {
  const auto it = senders_.find(peer);
  // A second proof of one session must not make its window forget.
  if (it != senders_.end() && it->second.session == session) return true;
  if (it == senders_.end() && senders_.size() == kSendersMax && !make_room(now)) return false;
  senders_.insert_or_assign(peer, Sender{session, oldest, now, {}});
  return true;
}

/// Who was heard while what it sent may still be recent stays: it would count as new again.
bool Senders::make_room(Instant now) {
  const auto oldest = std::ranges::min_element(senders_, {}, [](const auto& entry) { return entry.second.heard; });
  if (now - oldest->second.heard <= kRecent + RecentNumbers::kStep) return false;
  senders_.erase(oldest);
  return true;
}

}  // namespace p2pa::lan
