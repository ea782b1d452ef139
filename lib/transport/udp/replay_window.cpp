#include "transport/udp/replay_window.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace p2pa::udp {

bool ReplayWindow::fresh(std::uint64_t number) const {
  if (number >= next_) return true;
  if (next_ - number > kSize) return false;
  return (seen_[number / kBits % kWords] >> number % kBits & 1) == 0;
}

void ReplayWindow::mark(std::uint64_t number) {
  P2PA_ASSERT(fresh(number));
  if (number >= next_) {
    const std::uint64_t newest = next_ == 0 ? 0 : (next_ - 1) / kBits;
    const std::uint64_t words = std::min<std::uint64_t>(number / kBits - newest, kWords);
    for (std::uint64_t i = 0; i < words; ++i) seen_[(number / kBits - i) % kWords] = 0;
    next_ = number + 1;
  }
  seen_[number / kBits % kWords] |= std::uint64_t{1} << number % kBits;
}

}  // namespace p2pa::udp
