#include "transport/udp/range_set.hpp"

#include <algorithm>

namespace p2pa::udp {

void RangeSet::add(Range range) {
  if (range.begin >= range.end) return;
  // The first that it touches, and the first behind it that it does not.
  const auto first = std::ranges::lower_bound(ranges_, range.begin, {}, &Range::end);
  const auto last = std::find_if(first, ranges_.end(), [&](const Range& r) { return r.begin > range.end; });
  if (first == last) {
    ranges_.insert(first, range);
    return;
  }
  first->begin = std::min(first->begin, range.begin);
  first->end = std::max((last - 1)->end, range.end);
  ranges_.erase(first + 1, last);
}

void RangeSet::remove(Range range) {
  if (range.begin >= range.end) return;
  auto it = std::ranges::upper_bound(ranges_, range.begin, {}, &Range::end);
  while (it != ranges_.end() && it->begin < range.end) {
    const Range old = *it;
    if (old.begin < range.begin && old.end > range.end) {
      it->end = range.begin;
      ranges_.insert(it + 1, {range.end, old.end});
      return;
    }
    if (old.begin < range.begin) {
      it->end = range.begin;
      ++it;
    } else if (old.end > range.end) {
      it->begin = range.end;
      return;
    } else {
      it = ranges_.erase(it);
    }
  }
}

bool RangeSet::contains(std::uint64_t number) const {
  const auto it = std::ranges::upper_bound(ranges_, number, {}, &Range::end);
  return it != ranges_.end() && it->begin <= number;
}

}  // namespace p2pa::udp
