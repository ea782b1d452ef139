#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>

#include "p2pagents/limits.hpp"
#include "runtime/event.hpp"

namespace p2pa::capi {

/// All events of a node: promised, waiting, lent. What was promised can always be queued, since
/// queueing allocates nothing and the bound was paid when it was promised. REQUIRES the host's lock.
class EventPool final {
 public:
  explicit EventPool(const Limits& limits) : limits_(limits) {}
  EventPool(const EventPool&) = delete;
  EventPool& operator=(const EventPool&) = delete;

  /// Whose doing an event is. What peers do never takes the last eighth of the bound: that is left for what
  /// the host asks for.
  enum class For : bool { kHost, kPeer };
  /// An event for later. Null: the bound is reached.
  Event* promise(std::uint32_t kind, For whom);
  /// An event that may be lost, of a peer and with so much payload: at most a quarter of the bound is theirs,
  /// so that they never keep work from being asked for. Null: it is lost, and remembered as dropped.
  Event* promise_notification(std::uint32_t kind, const PeerId& peer, std::size_t bytes);
  /// Pays for the payload that a promised event shall hold, until the host is done with it. False: that would
  /// be over Limits::memory_max, or over memory_per_peer_max for its peer. REQUIRES: the peer is set, and stays.
  bool charge(Event& event, std::size_t bytes) noexcept;
  /// Queues a promised event.
  void push(Event* event) noexcept;
  /// The oldest queued event, now lent or shown; null when none waits.
  Event* pop(Event::Place place) noexcept;
  /// The lent event with this token, or null.
  /// Also one that is in the hands of the event callback.
  const Event* find_seen(std::uint64_t token) const noexcept;
  Event* find_lent(std::uint64_t token) noexcept;
  /// The event serves nobody any more.
  void recycle(Event* event) noexcept;
  /// Makes a used event a promise again, without paying twice.
  void promise_again(Event* event) noexcept;

  std::size_t waiting() const { return waiting_; }
  /// Promised, waiting or lent.
  std::uint32_t used() const { return used_; }
  /// Of payload that waits or is lent.
  std::size_t bytes() const { return bytes_; }
  /// May who can wait go on? No longer when half of a bound is used, or when the largest message would not fit:
  /// what is left is for what cannot wait.
  bool has_room(const PeerId& peer) const;
  /// Something was refused for want of an event, or of room for its payload.
  void note_refusal() noexcept { ++refused_; }
  /// How often that was.
  std::uint64_t refused() const { return refused_; }
  std::uint32_t bound() const { return limits_.events_max; }
  /// Kinds of notifications lost since this was asked last, as P2PA_EVENT_DROPPED bits.
  std::uint32_t take_dropped() noexcept;

 private:
  void clear(Event& event) noexcept;
  std::size_t bytes_of(const PeerId& peer) const;

  const Limits limits_;
  std::uint32_t used_ = 0;
  std::uint32_t notifications_ = 0;
  std::size_t bytes_ = 0;
  std::unordered_map<PeerId, std::size_t, PeerIdHash> peers_;  // bytes, of those that have any
  std::size_t waiting_ = 0;
  std::uint32_t dropped_ = 0;
  std::uint64_t refused_ = 0;
  std::deque<Event> events_;  // a deque never moves its elements
  Event* free_ = nullptr;
  Event* first_ = nullptr;
  Event* last_ = nullptr;
};

}  // namespace p2pa::capi
