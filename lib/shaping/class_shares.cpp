#include "shaping/class_shares.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace p2pa::shaping {

Priority ClassShares::next(const ClassSet& waiting) const {
  for (std::size_t i = kClasses; i-- > 1;) {
    const auto priority = static_cast<Priority>(i);
    if (waiting[i] && owed(priority)) return priority;
  }
  const auto first = std::ranges::find(waiting, true);
  P2PA_ASSERT(first != waiting.end());
  return static_cast<Priority>(first - waiting.begin());
}

void ClassShares::served(Priority priority, std::uint64_t bytes, const ClassSet& waiting) {
  const std::size_t own = index_of(priority);
  owed_[own] -= std::min(owed_[own], bytes * (kShare - 1));
  for (std::size_t i = own + 1; i < kClasses; ++i) owed_[i] = waiting[i] ? owed_[i] + bytes : 0;
}

}  // namespace p2pa::shaping
