#include "runtime/event_pool.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "p2pagents/p2pagents.h"

namespace p2pa::capi {

namespace {
/// Memory up to this stays with a recycled event, so that small traffic allocates nothing.
constexpr std::size_t kKeptBytesMax = 4096;

template <class Container>
void empty_out(Container& container) noexcept {
  if (container.capacity() > kKeptBytesMax) {
    Container().swap(container);
  } else {
    container.clear();
  }
}
}  // namespace

Event* EventPool::promise(std::uint32_t kind, For whom) {
  const std::uint32_t kept_back = whom == For::kPeer ? limits_.events_max / 8 : 0;
  if (used_ >= limits_.events_max - kept_back) return nullptr;
  if (free_ == nullptr) {
    Event& fresh = events_.emplace_back();
    fresh.index = static_cast<std::uint32_t>(events_.size() - 1);
    free_ = &fresh;
  }
  Event* event = free_;
  free_ = event->next;
  event->next = nullptr;
  event->place = Event::Place::kPromised;
  event->kind = kind;
  ++used_;
  return event;
}

Event* EventPool::promise_notification(std::uint32_t kind, const PeerId& peer, std::size_t bytes) {
  Event* event = nullptr;
  if (notifications_ < (limits_.events_max + 3) / 4) event = promise(kind, For::kPeer);
  if (event != nullptr) {
    event->peer = peer;
    event->notification = true;
    ++notifications_;
    if (charge(*event, bytes)) return event;
    recycle(event);
  }
  dropped_ |= P2PA_EVENT_DROPPED(kind);
  return nullptr;
}

bool EventPool::charge(Event& event, std::size_t bytes) noexcept {
  if (bytes == 0) return true;
  if (bytes > limits_.memory_max - bytes_) return false;
  if (bytes > limits_.memory_per_peer_max - bytes_of(event.peer)) return false;
  try {
    peers_[event.peer] += bytes;
  } catch (const std::bad_alloc&) {
    return false;
  }
  bytes_ += bytes;
  event.charged = bytes;
  return true;
}

bool EventPool::has_room(const PeerId& peer) const {
  const auto free = [&](std::size_t bound, std::size_t used) {
    return bound - used > std::max(bound / 2, limits_.message_bytes_max);
  };
  return free(limits_.memory_max, bytes_) && free(limits_.memory_per_peer_max, bytes_of(peer));
}

std::size_t EventPool::bytes_of(const PeerId& peer) const {
  const auto it = peers_.find(peer);
  return it == peers_.end() ? 0 : it->second;
}

void EventPool::push(Event* event) noexcept {
  event->place = Event::Place::kQueued;
  event->next = nullptr;
  (last_ == nullptr ? first_ : last_->next) = event;
  last_ = event;
  ++waiting_;
}

Event* EventPool::pop(Event::Place place) noexcept {
  Event* event = first_;
  if (event == nullptr) return nullptr;
  first_ = event->next;
  if (first_ == nullptr) last_ = nullptr;
  event->next = nullptr;
  event->place = place;
  --waiting_;
  return event;
}

Event* EventPool::find_lent(std::uint64_t token) noexcept {
  const std::uint64_t index = (token & 0xffffffff) - 1;
  if (index >= events_.size()) return nullptr;
  Event& event = events_[index];
  return event.place == Event::Place::kLent && event.token() == token ? &event : nullptr;
}

const Event* EventPool::find_seen(std::uint64_t token) const noexcept {
  const std::uint64_t index = (token & 0xffffffff) - 1;
  if (index >= events_.size()) return nullptr;
  const Event& event = events_[index];
  const bool seen = event.place == Event::Place::kLent || event.place == Event::Place::kShown;
  return seen && event.token() == token ? &event : nullptr;
}

void EventPool::recycle(Event* event) noexcept {
  if (event == nullptr) return;
  clear(*event);
  event->place = Event::Place::kFree;
  event->next = free_;
  free_ = event;
  --used_;
}

void EventPool::promise_again(Event* event) noexcept {
  const std::uint32_t kind = event->kind;
  clear(*event);
  event->kind = kind;
  event->place = Event::Place::kPromised;
}

std::uint32_t EventPool::take_dropped() noexcept {
  const std::uint32_t dropped = dropped_;
  dropped_ = 0;
  return dropped;
}

void EventPool::clear(Event& event) noexcept {
  if (event.charged > 0) {
    bytes_ -= event.charged;
    const auto it = peers_.find(event.peer);
    it->second -= std::exchange(event.charged, 0);
    if (it->second == 0) peers_.erase(it);
  }
  if (event.notification) --notifications_;
  event.notification = false;
  ++event.generation;
  event.kind = event.flags = 0;
  event.op = event.call = event.stream = event.channel = event.connection = event.count = 0;
  event.delivery = event.session_channel = 0;
  event.peer = PeerId();
  event.error = Error{Code::kOk, 0, ""};
  event.application_code = 0;
  empty_out(event.text);
  empty_out(event.data);
  empty_out(event.name);
  empty_out(event.address);
  event.duration_ns = event.upload_ns = event.download_ns = 0;
  event.bytes_up = event.bytes_down = 0;
  event.attempts = {};
}

}  // namespace p2pa::capi
