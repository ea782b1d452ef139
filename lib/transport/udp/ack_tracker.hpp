#pragma once
// Which packets arrived, and when to say so (RFC 9000 §13.2).

#include <cstddef>
#include <cstdint>
#include <optional>

#include "p2pagents/time.hpp"
#include "transport/udp/frame_codec.hpp"
#include "transport/udp/range_set.hpp"

namespace p2pa::udp {

class AckTracker final {
 public:
  static constexpr int kPacketsPerAck = 2;

  void received(std::uint64_t number, bool eliciting, Instant now);
  /// When an acknowledgement is to go at the latest; in the past: now. kNever: nothing is owed.
  Instant due_at() const { return due_at_; }
  bool owed() const { return due_at_ != kNever; }
  /// What there is to say. REQUIRES that something was received.
  AckFrame frame(Instant now) const;
  /// It was: nothing is owed from then on.
  void said();
  std::optional<std::uint64_t> largest() const { return largest_; }

 private:
  RangeSet numbers_;  // the newest kAckRangesMax ranges
  std::optional<std::uint64_t> largest_;
  Instant largest_at_{};
  Instant due_at_ = kNever;
  int unsaid_ = 0;  // packets that elicit
};

}  // namespace p2pa::udp
