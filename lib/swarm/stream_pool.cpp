#include "swarm/stream_pool.hpp"

#include <utility>

namespace p2pa::swarm {

StreamSlot& StreamPool::acquire(StreamList& list, Connection& connection, StreamId id,
                                resource::Reservation reservation) {
  if (free_ == nullptr) {
    slots_.push_back(std::make_unique<StreamSlot>());
    free_ = slots_.back().get();
  }
  StreamSlot& slot = *std::exchange(free_, free_->next);
  slot.stream.emplace(connection, id);
  slot.reservation = std::move(reservation);
  slot.previous = nullptr;
  slot.next = list.first;
  if (list.first != nullptr) list.first->previous = &slot;
  list.first = &slot;
  ++list.count;
  return slot;
}

void StreamPool::release(StreamList& list, StreamSlot& slot) {
  if (slot.previous != nullptr) slot.previous->next = slot.next;
  if (slot.next != nullptr) slot.next->previous = slot.previous;
  if (list.first == &slot) list.first = slot.next;
  --list.count;
  slot.stream.reset();
  slot.reservation.release();
  ++slot.generation;
  slot.previous = nullptr;
  slot.next = std::exchange(free_, &slot);
}

}  // namespace p2pa::swarm
