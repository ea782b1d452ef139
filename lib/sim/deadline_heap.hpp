#pragma once
#include <cstdint>
#include <vector>

#include "p2pagents/time.hpp"

namespace p2pa::sim {

/// The next deadline of each node, the earliest on top (of equals, the lowest id). A node moves its
/// deadline with every datagram, so entries are moved in place: one a node, none stale.
class DeadlineHeap final {
 public:
  /// kNever takes the entry away. O(log n).
  void set(std::uint32_t id, Instant at);
  /// kNever when empty.
  Instant next() const { return heap_.empty() ? kNever : heap_.front().at; }
  std::uint32_t top() const { return heap_.front().id; }  ///< REQUIRES next() != kNever

 private:
  struct Entry {
    Instant at;
    std::uint32_t id;
    auto operator<=>(const Entry&) const = default;
  };
  static constexpr std::uint32_t kAbsent = 0xffff'ffff;

  void place(std::uint32_t position, const Entry& entry);
  void rise(std::uint32_t position);
  void sink(std::uint32_t position);

  std::vector<Entry> heap_;
  std::vector<std::uint32_t> positions_;  // by id
};

}  // namespace p2pa::sim
