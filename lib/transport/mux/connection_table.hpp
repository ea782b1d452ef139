#pragma once
// The connections of an endpoint, and what they tell.

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "transport/mux/shared.hpp"
#include "transport/mux/streams.hpp"
#include "transport/transport.hpp"

namespace p2pa::mux {

/// Owns connections of one type derived from MuxedConnection; visits them in the order of their numbers, so
/// that no hash leaks into what a run does. REQUIRES that `shared` outlives it.
template <class Connection>
class ConnectionTable final {
 public:
  /// Numbers them first, first + step, ... so that many endpoints may share a node.
  ConnectionTable(Shared& shared, ConnectionId first, ConnectionId step)
      : shared_(shared), next_id_(first), id_step_(step) {}

  ConnectionId number() { return std::exchange(next_id_, next_id_ + id_step_); }
  Connection& keep(std::unique_ptr<Connection> connection) {
    Connection& out = *connection;
    connections_.emplace(out.id(), std::move(connection));
    return out;
  }
  /// Null: there is none of this number.
  Connection* find(ConnectionId id) {
    const auto it = connections_.find(id);
    return it == connections_.end() ? nullptr : it->second.get();
  }
  /// REQUIRES that there is one.
  Connection& at(ConnectionId id) { return *connections_.at(id); }
  std::size_t size() const { return connections_.size(); }
  auto begin() { return connections_.begin(); }
  auto end() { return connections_.end(); }

  /// The one whose kClosed was told by the last poll_event(); 0: none. To be forgotten before the next.
  ConnectionId ended() const { return ended_; }
  void forget_ended() { connections_.erase(std::exchange(ended_, 0)); }

  /// See Transport. REQUIRES ended() == 0.
  bool poll_event(TransportEvent& out) {
    while (!shared_.events.empty() || feed_starved()) {
      if (shared_.events.empty()) continue;  // whom it woke is gone
      const QueuedEvent event = shared_.events.pop();
      out.connection = event.connection;
      if (!event.connection->take(event, out.event)) continue;
      if (event.kind == ConnectionEvent::Kind::kClosed) ended_ = event.connection->id();
      return true;
    }
    return false;
  }
  bool has_events() const {
    return !shared_.events.empty() || std::ranges::any_of(shared_.starved, &Streams::can_feed);
  }

 private:
  /// Wakes streams that lacked memory, where there is some again. False: there is nobody to wake.
  bool feed_starved() {
    if (shared_.starved.empty()) return false;
    for (const auto& [id, connection] : connections_) connection->tidy();  // others may keep what they do not use
    bool fed = false;
    std::erase_if(shared_.starved, [&](Streams* streams) {
      if (!streams->can_feed()) return false;
      fed = true;
      return streams->feed();
    });
    return fed;
  }

  Shared& shared_;
  std::map<ConnectionId, std::unique_ptr<Connection>> connections_;
  ConnectionId next_id_;
  const ConnectionId id_step_;
  ConnectionId ended_ = 0;
};

}  // namespace p2pa::mux
