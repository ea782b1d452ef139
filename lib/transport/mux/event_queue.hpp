#pragma once
// What the connections of an endpoint have to tell, oldest first.

#include <cstdint>
#include <vector>

#include "transport/mux/muxed_connection.hpp"

namespace p2pa::mux {

struct StreamState;

struct QueuedEvent {
  MuxedConnection* connection;
  StreamState* stream;  ///< null for those of the connection itself
  ConnectionEvent::Kind kind;
  std::uint64_t code;
};

/// A ring that grows by doubling and then stays: events are bounded by the streams there are (one of
/// a kind each) and by the datagrams that wait.
class EventQueue final {
 public:
  void push(const QueuedEvent& event);
  bool empty() const { return count_ == 0; }
  /// REQUIRES not empty.
  QueuedEvent pop();

 private:
  std::vector<QueuedEvent> ring_;
  std::size_t head_ = 0, count_ = 0;
};

}  // namespace p2pa::mux
