#pragma once
// A connection whose streams mux::Streams keeps, as the events that are queued for it see it.

#include "transport/connection.hpp"

namespace p2pa::mux {

struct QueuedEvent;

class MuxedConnection : public p2pa::Connection {
 public:
  /// Turns a queued event into what the application sees. False: it does not concern it any more.
  virtual bool take(const QueuedEvent& event, ConnectionEvent& out) = 0;
};

}  // namespace p2pa::mux
