#include "transport/mux/event_queue.hpp"

#include <utility>

namespace p2pa::mux {

void EventQueue::push(const QueuedEvent& event) {
  if (count_ == ring_.size()) {
    std::vector<QueuedEvent> larger(count_ == 0 ? 64 : 2 * count_);  // a power of two, for the mask
    for (std::size_t i = 0; i < count_; ++i) larger[i] = ring_[(head_ + i) & (count_ - 1)];
    ring_ = std::move(larger);
    head_ = 0;
  }
  ring_[(head_ + count_++) & (ring_.size() - 1)] = event;
}

QueuedEvent EventQueue::pop() {
  const QueuedEvent event = ring_[head_];
  head_ = (head_ + 1) & (ring_.size() - 1);
  --count_;
  return event;
}

}  // namespace p2pa::mux
