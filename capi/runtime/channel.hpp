#pragma once
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>

#include "p2pagents/peer_id.hpp"
#include "p2pagents/shaping.hpp"
#include "runtime/event_pool.hpp"
#include "runtime/outbox.hpp"

namespace p2pa::capi {

/// What a call and a raw stream have in common at this face: an outbox, and the credit by which a
/// host that does not take its events slows the peer down. REQUIRES the host's lock.
///
/// One data event is always promised ahead, so that what arrives has a place. When it is used and
/// no other can be promised (bounds below, or the pool's), the channel is paused until the host
/// releases some of its own.
struct Channel {
  static constexpr std::uint32_t kEventsMax = 64;                   ///< unreleased data events
  static constexpr std::size_t kBytesMax = std::size_t{1} << 20;  ///< and their bytes

  struct Kinds {
    std::uint32_t data, finished, writable, ended;
  };

  std::uint64_t handle = 0;
  std::uint64_t core = 0;  ///< the node's id; 0 before it is open
  PeerId peer;
  Outbox outbox;
  bool finishing = false;       ///< the host wants no more to be sent
  bool finish_done = false;     ///< and the node was told
  bool wants_writable = false;  ///< the host was told WOULD_BLOCK
  bool resume_due = false;
  std::optional<Priority> priority;  ///< what the host wants, and the node was not told
  bool paused = false;
  Event* data = nullptr;
  Event* finished = nullptr;
  Event* writable = nullptr;
  Event* ended = nullptr;
  std::uint32_t events_out = 0;
  std::size_t bytes_out = 0;

  /// The list node by which the channel joins the list of those to be served; made with it, so that
  /// joining cannot fail.
  std::list<std::uint64_t> ticket;
  std::list<std::uint64_t>::iterator waits_at;
  bool waits = false;

  /// Promises every event; false, and nothing is promised, when the bound is reached.
  bool promise(EventPool& events, const Kinds& kinds, EventPool::For whom) {
    data = events.promise(kinds.data, whom);
    finished = events.promise(kinds.finished, whom);
    writable = events.promise(kinds.writable, whom);
    ended = events.promise(kinds.ended, whom);
    if (data != nullptr && finished != nullptr && writable != nullptr && ended != nullptr) return true;
    withdraw(events);
    return false;
  }
  /// Gives back what is still promised.
  void withdraw(EventPool& events) noexcept {
    for (Event** event : {&data, &finished, &writable, &ended}) {
      events.recycle(*event);
      *event = nullptr;
    }
  }
  /// The data event, taken out and filled, goes out. True: the channel is paused from now on.
  bool spend_data(EventPool& events, const Event* event) {
    ++events_out;
    bytes_out += event->data.size();
    if (events_out < kEventsMax && bytes_out < kBytesMax && events.has_room(peer)) {
      data = events.promise(event->kind, EventPool::For::kPeer);
    }
    paused = data == nullptr;
    return paused;
  }
  /// The host released a data event. True: the channel should be resumed.
  bool reclaim_data(EventPool& events, Event* event) noexcept {
    --events_out;
    bytes_out -= event->charged;
    if (data == nullptr) {
      events.promise_again(event);
      data = event;
    } else {
      events.recycle(event);
    }
    if (!paused || events_out > kEventsMax / 2 || bytes_out > kBytesMax / 2) return false;
    paused = false;
    resume_due = true;
    return true;
  }
  /// The event that says WRITABLE, when the host waits for it and it may be said now.
  Event* take_writable() noexcept {
    if (!wants_writable || writable == nullptr || finishing || !outbox.half_empty()) return nullptr;
    wants_writable = false;
    Event* event = writable;
    writable = nullptr;
    return event;
  }
};

}  // namespace p2pa::capi
