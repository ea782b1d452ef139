#include "transport/udp/ack_tracker.hpp"

#include <algorithm>

#include "transport/udp/rtt.hpp"

namespace p2pa::udp {

void AckTracker::received(std::uint64_t number, bool eliciting, Instant now) {
  const bool next = !largest_ || number == *largest_ + 1;
  numbers_.add({number, number + 1});
  if (numbers_.count() > kAckRangesMax) numbers_.pop_front();
  if (!largest_ || number > *largest_) {
    largest_ = number;
    largest_at_ = now;
  }
  if (!eliciting) return;
  ++unsaid_;
  const bool at_once = unsaid_ >= kPacketsPerAck || !next;
  due_at_ = std::min(due_at_, at_once ? now : now + kAckDelayMax);
}

AckFrame AckTracker::frame(Instant now) const {
  AckFrame ack;
  const auto& ranges = numbers_.ranges();
  for (auto it = ranges.rbegin(); it != ranges.rend(); ++it) ack.storage[ack.count++] = *it;
  ack.delay_us = static_cast<std::uint64_t>(std::max<std::int64_t>((now - largest_at_).us(), 0));
  return ack;
}

void AckTracker::said() {
  due_at_ = kNever;
  unsaid_ = 0;
}

}  // namespace p2pa::udp
