#pragma once
// Deadlines of many things, the soonest first.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "p2pagents/time.hpp"

namespace p2pa {

/// One deadline an id, kept in a binary heap that knows where each id stands: set and cancel cost the
/// logarithm. Neither moving a deadline that exists allocates, nor setting one again after it came out.
/// Equal deadlines come out in the order in which they were set.
template <class Id, class Hash = std::hash<Id>>
class TimerQueue {
 public:
  std::size_t size() const { return heap_.size(); }
  bool empty() const { return heap_.empty(); }

  /// Sets or moves the deadline of `id`; kNever cancels it.
  void set(const Id& id, Instant deadline) {
    if (deadline == kNever) return cancel(id);
    const auto it = places_.find(id);
    if (it == places_.end()) {
      heap_.push_back({deadline, sequence_++, new_place(id)});
      rise(heap_.size() - 1);
      return;
    }
    Entry& entry = heap_[it->second];
    if (entry.deadline == deadline) return;
    entry.deadline = deadline;
    entry.sequence = sequence_++;
    settle(it->second);
  }

  void cancel(const Id& id) {
    const auto it = places_.find(id);
    if (it != places_.end()) remove(it->second);
  }

  /// The soonest deadline; kNever when there is none.
  Instant next() const { return heap_.empty() ? kNever : heap_[0].deadline; }

  /// Takes out the soonest that is due at `now`.
  std::optional<Id> pop_due(Instant now) {
    if (heap_.empty() || heap_[0].deadline > now) return std::nullopt;
    const Id id = heap_[0].place->first;
    remove(0);
    return id;
  }

 private:
  using Places = std::unordered_map<Id, std::size_t, Hash>;
  struct Entry {
    Instant deadline;
    std::uint64_t sequence;
    typename Places::value_type* place;  // a node of the map: rehashing does not move it
  };

  /// Places kept for reuse; each is a node of the map.
  static constexpr std::size_t kSpareMax = 1024;

  typename Places::value_type* new_place(const Id& id) {
    if (spare_.empty()) return &*places_.try_emplace(id, 0).first;
    auto node = std::move(spare_.back());
    spare_.pop_back();
    node.key() = id;
    return &*places_.insert(std::move(node)).position;
  }
  static bool before(const Entry& a, const Entry& b) {
    return a.deadline != b.deadline ? a.deadline < b.deadline : a.sequence < b.sequence;
  }
  void put(std::size_t at, Entry entry) {
    entry.place->second = at;
    heap_[at] = entry;
  }
  void settle(std::size_t at) {
    if (rise(at) == at) sink(at);
  }
  std::size_t rise(std::size_t at) {
    const Entry entry = heap_[at];
    while (at > 0 && before(entry, heap_[(at - 1) / 2])) {
      put(at, heap_[(at - 1) / 2]);
      at = (at - 1) / 2;
    }
    put(at, entry);
    return at;
  }
  void sink(std::size_t at) {
    const Entry entry = heap_[at];
    for (std::size_t child; (child = 2 * at + 1) < heap_.size(); at = child) {
      if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
      if (!before(heap_[child], entry)) break;
      put(at, heap_[child]);
    }
    put(at, entry);
  }
  void remove(std::size_t at) {
    auto node = places_.extract(heap_[at].place->first);
    if (spare_.size() < kSpareMax) spare_.push_back(std::move(node));
    const Entry last = heap_.back();
    heap_.pop_back();
    if (at == heap_.size()) return;
    put(at, last);
    settle(at);
  }

  std::vector<Entry> heap_;
  Places places_;
  std::vector<typename Places::node_type> spare_;
  std::uint64_t sequence_ = 0;
};

}  // namespace p2pa
