#include "lan/suspects.hpp"

#include <algorithm>
#include <utility>

namespace p2pa::lan {

bool Suspect::holds(std::uint64_t number) const {
  return std::ranges::find(held, number, &Held::number) != held.end();
}

Suspect* Suspects::find(const PeerId& peer, const Id16& session) {
  const auto it = std::ranges::find_if(
      suspects_, [&](const Suspect& s) { return s.session == session && s.peer == peer; });
  return it == suspects_.end() ? nullptr : &*it;
}

Suspect* Suspects::find(const Id16& session, const Id16& nonce) {
  const auto it = std::ranges::find_if(
      suspects_, [&](const Suspect& s) { return s.session == session && s.nonce == nonce; });
  return it == suspects_.end() ? nullptr : &*it;
}

Suspect* Suspects::add(Suspect suspect) {
  const auto of_source = std::ranges::count(suspects_, suspect.at.ip, [](const Suspect& s) { return s.at.ip; });
  if (static_cast<std::size_t>(of_source) >= kSuspectsPerSourceMax) return nullptr;
  if (suspects_.size() == kSuspectsMax) suspects_.erase(suspects_.begin());
  return &suspects_.emplace_back(std::move(suspect));
}

void Suspects::remove(const Suspect& suspect) { suspects_.erase(suspects_.begin() + (&suspect - suspects_.data())); }

Instant Suspects::next_deadline() const {
  Instant next = kNever;
  for (const Suspect& s : suspects_) next = std::min({next, s.ask_again, s.since + kProofTimeout});
  return next;
}

std::size_t Suspects::expire(Instant now) {
  std::size_t lost = 0;
  std::erase_if(suspects_, [&](const Suspect& s) {
    if (now < s.since + kProofTimeout) return false;
    lost += s.held.size();
    return true;
  });
  return lost;
}

const Suspect* Suspects::due(Instant now) {
  const auto it = std::ranges::find_if(suspects_, [&](const Suspect& s) { return s.ask_again <= now; });
  if (it == suspects_.end()) return nullptr;
  it->ask_again = now + kChallengeInterval;
  return &*it;
}

}  // namespace p2pa::lan
