#include "sim/event_queue.hpp"

#include <algorithm>

namespace p2pa::sim {
namespace {

bool later(const Event& a, const Event& b) {
  return a.at == b.at ? a.sequence > b.sequence : a.at > b.at;
}

}  // namespace

void EventQueue::push(Instant at, Event::Kind kind, std::uint32_t slot) {
  heap_.push_back({at, sequence_++, kind, slot});
  std::push_heap(heap_.begin(), heap_.end(), later);
}

Event EventQueue::pop() {
  std::pop_heap(heap_.begin(), heap_.end(), later);
  Event event = heap_.back();
  heap_.pop_back();
  return event;
}

}  // namespace p2pa::sim
