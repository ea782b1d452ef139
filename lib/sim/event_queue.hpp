#pragma once
#include <cstdint>
#include <vector>

#include "p2pagents/time.hpp"

namespace p2pa::sim {

/// Something that happens once. `slot` finds it: a datagram or a segment of a pool, or a scripted
/// call. kSocketEvents: TCP has something for nodes to hear.
struct Event {
  enum class Kind : std::uint8_t { kArrival, kSegment, kSocketEvents, kCall };
  Instant at;
  std::uint64_t sequence = 0;
  Kind kind = Kind::kCall;
  std::uint32_t slot = 0;
};

/// A heap ordered by (time, sequence): what was pushed first for an instant happens first in it.
class EventQueue final {
 public:
  void push(Instant at, Event::Kind kind, std::uint32_t slot);
  bool empty() const { return heap_.empty(); }
  /// kNever when empty.
  Instant next() const { return heap_.empty() ? kNever : heap_.front().at; }
  const Event& top() const { return heap_.front(); }  ///< REQUIRES !empty()
  Event pop();                                        ///< REQUIRES !empty()

 private:
  std::vector<Event> heap_;
  std::uint64_t sequence_ = 0;
};

}  // namespace p2pa::sim
