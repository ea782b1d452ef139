#include "sim/deadline_heap.hpp"

namespace p2pa::sim {

void DeadlineHeap::set(std::uint32_t id, Instant at) {
  if (id >= positions_.size()) positions_.resize(id + 1, kAbsent);
  std::uint32_t position = positions_[id];
  if (position == kAbsent) {
    if (at == kNever) return;
    position = static_cast<std::uint32_t>(heap_.size());
    heap_.push_back({at, id});
    positions_[id] = position;
    return rise(position);
  }
  Entry entry{at, id};
  if (at == kNever) {
    positions_[id] = kAbsent;
    entry = heap_.back();
    heap_.pop_back();
    if (position == heap_.size()) return;
  }
  const bool earlier = entry < heap_[position];
  place(position, entry);
  earlier ? rise(position) : sink(position);
}

void DeadlineHeap::place(std::uint32_t position, const Entry& entry) {
  heap_[position] = entry;
  positions_[entry.id] = position;
}

void DeadlineHeap::rise(std::uint32_t position) {
  const Entry entry = heap_[position];
  while (position > 0) {
    const std::uint32_t parent = (position - 1) / 2;
    if (heap_[parent] < entry) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, entry);
}

void DeadlineHeap::sink(std::uint32_t position) {
  const Entry entry = heap_[position];
  for (;;) {
    std::size_t child = std::size_t{2} * position + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1] < heap_[child]) ++child;
    if (entry < heap_[child]) break;
    place(position, heap_[child]);
    position = static_cast<std::uint32_t>(child);
  }
  place(position, entry);
}

}  // namespace p2pa::sim
