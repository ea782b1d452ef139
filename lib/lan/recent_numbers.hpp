#pragma once
#include <cstdint>
#include <deque>

#include "p2pagents/time.hpp"

namespace p2pa::lan {

/// What a sender sent within this time before its proof counts as new.
inline constexpr Duration kRecent = seconds(2);

/// Knows about when we sent which number, so that a proof can say what is recent: marks of one instant and the
/// number next in it, a few of them, however much is sent.
class RecentNumbers final {
 public:
  static constexpr Duration kStep = milliseconds(100);

  /// This number is about to be sent.
  void sending(Instant now, std::uint64_t number) {
    forget(now);
    if (marks_.empty() || now - marks_.back().at >= kStep) marks_.push_back({now, number});
    next_ = number + 1;
  }
  /// The first number that was sent within kRecent before now, or within one step more.
  std::uint64_t oldest(Instant now) {
    forget(now);
    return marks_.empty() ? next_ : marks_.front().number;
  }

 private:
  struct Mark {
    Instant at;
    std::uint64_t number;
  };
  /// A mark's numbers are sent until the next one is made, or a step has passed.
  void forget(Instant now) {
    while (!marks_.empty() && now - marks_.front().at > kRecent + kStep) marks_.pop_front();
  }

  std::deque<Mark> marks_;
  std::uint64_t next_ = 0;
};

}  // namespace p2pa::lan
