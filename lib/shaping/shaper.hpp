#pragma once
// The rate limits of a node, and whose turn it is when there are not tokens for all.

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "p2pagents/error.hpp"
#include "p2pagents/peer_id.hpp"
#include "p2pagents/shaping.hpp"
#include "p2pagents/time.hpp"
#include "shaping/claim.hpp"
#include "shaping/class_shares.hpp"
#include "shaping/token_bucket.hpp"

namespace p2pa::shaping {

/// A protocol as limits know it: a hash, so that a stream need not keep the id.
using ProtocolKey = std::uint64_t;
ProtocolKey key_of(std::string_view protocol);

/// What a limit covers: the whole node, one peer, or one protocol whoever speaks it.
using Scope = std::variant<std::monostate, PeerId, ProtocolKey>;
/// "" is the node; a PeerId; or a protocol's id, which begins with "/". kInvalidArgument: none of these.
Result<Scope> parse_scope(std::string_view text);

struct Bucket {
  TokenBucket tokens;
  std::uint32_t waiting = 0;     ///< claims
  std::int64_t promised = 0;     ///< in this round: to those who were called, and to those who are before others
};

/// Who moves bytes asks available(), moves as many at most, and says take(). Who finds none says wait(), and is
/// called when there are some: the more urgent classes first, within one in the order of waiting, each class by
/// ClassShares. While somebody waits for a bucket, nobody passes him. Limits are the owner's own: their number
/// is not bounded.
class Shaper final {
 public:
  /// Sets or changes it. kInvalidArgument: see check_limit().
  Result<void> set(const Scope& scope, Direction direction, const RateLimit& limit);
  /// False: there was none.
  bool clear(const Scope& scope, Direction direction);
  std::optional<RateLimit> limit(const Scope& scope, Direction direction) const;

  /// Time goes on; whoever runs the node says so before anything else.
  void advance(Instant now) { now_ = std::max(now_, now); }
  Instant next_deadline() const { return waiting_ == 0 ? kNever : due_; }
  void on_deadline(Instant now);

  /// Is anything limited in that direction?
  bool limits(Direction direction) const { return !way(direction).limits.empty(); }
  /// Has the claim fall under the limits that there are now. Needed once, and after each change; else it costs
  /// a comparison. REQUIRES that it does not wait.
  void place(Claim& claim, const PeerId& peer, ProtocolKey protocol);
  /// How much of `wanted` bytes may be moved now; none: not worth it, or others are first.
  std::size_t available(const Claim& claim, std::size_t wanted) const;
  void take(Claim& claim, std::size_t bytes);
  /// They were not moved after all. Where limits have changed since take(), it means nothing.
  void give_back(Claim& claim, std::size_t bytes);
  void wait(Claim& claim, std::size_t wanted);
  void cancel(Claim& claim);
  void set_priority(Claim& claim, Priority priority);

 private:
  using Limits = std::map<Scope, Bucket>;
  struct Line {  // of those who wait, one a class
    Claim* first = nullptr;
    Claim* last = nullptr;
  };
  struct Way {  // one direction
    Limits limits;
    std::array<Line, kClasses> lines;
    ClassShares shares;
  };

  Way& way(Direction direction) { return ways_[static_cast<std::size_t>(direction)]; }
  const Way& way(Direction direction) const { return ways_[static_cast<std::size_t>(direction)]; }
  Way& way_of(const Claim& claim) { return way(claim.direction_); }
  static ClassSet waiting_classes(const Way& way);
  Instant ready_at(const Claim& claim) const;
  void join(Claim& claim);
  void leave(Claim& claim);
  /// Calls one of a class that has waited for so much that others had.
  void call_owed(Line& line);
  void call_ready(Line& line);
  /// False: there are no tokens for it.
  bool call(Claim& claim);
  void promise(Bucket& bucket, const Claim& claim);
  /// Takes everybody out of the lines; said before limits change, and recall() after that.
  std::vector<Claim*> dismiss();
  void recall(const std::vector<Claim*>& claims);

  std::array<Way, 2> ways_;
  std::uint64_t epoch_ = 1;
  std::size_t waiting_ = 0;
  std::vector<Bucket*> promised_;  // scratch of on_deadline()
  Instant now_{};
  Instant due_ = kNever;  // at the latest then somebody may be called; perhaps in vain
};

}  // namespace p2pa::shaping
