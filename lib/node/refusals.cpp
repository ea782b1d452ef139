#include "node/refusals.hpp"

#include <algorithm>
#include <utility>

namespace p2pa {

void Refusals::add(Instant now, const PeerId& peer, const Multiaddr& address, const Error& why,
                   std::uint64_t count) {
  Reason& reason = reasons_[why.code];
  reason.untold = {peer, address, why, reason.untold.count + count};
  next_ = std::min(next_, std::max(reason.next, now));
}

std::optional<Refusals::Told> Refusals::pop(Instant now) {
  if (now < next_) return std::nullopt;
  const auto due = std::ranges::find_if(reasons_, [&](const auto& entry) {
    return entry.second.untold.count > 0 && entry.second.next <= now;
  });
  if (due == reasons_.end()) return std::nullopt;
  due->second.next = now + kRefusalPause;
  Told told = std::exchange(due->second.untold, {});
  look();
  return told;
}

void Refusals::look() {
  next_ = kNever;
  for (const auto& [code, reason] : reasons_) {
    if (reason.untold.count > 0) next_ = std::min(next_, reason.next);
  }
}

}  // namespace p2pa
