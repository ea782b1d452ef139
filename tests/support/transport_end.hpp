#pragma once
// One end of any transport in a test: remembers what was told of connections and streams, and may read
// and echo.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transport/transport.hpp"

namespace p2pa::test {

/// Keeps what arrived on a stream; the protocols of these tests are made of it.
struct Inbox {
  std::string text;
  bool ended = false, closed = false, opened_by_peer = false;
  std::optional<std::uint64_t> reset, stopped;
  int readable = 0, writable = 0;
};

struct TransportEnd {
  Connection* connection() const { return connections.empty() ? nullptr : connections.back(); }
  /// Everything that was told of a stream, by connection and stream.
  Inbox& inbox(Connection& c, StreamId id) { return inboxes[{c.id(), id}]; }
  int count(ConnectionEvent::Kind kind) const {
    return static_cast<int>(std::ranges::count_if(events, [kind](const auto& e) { return e.first == kind; }));
  }
  void handle(Instant now, const TransportEvent& event);

  bool drain = true;  ///< reads streams as they become readable
  bool echo = false;  ///< sends back what arrives, and the end
  std::vector<Connection*> connections;  ///< those not closed, oldest first
  std::map<std::pair<ConnectionId, StreamId>, Inbox> inboxes;
  std::vector<std::pair<ConnectionEvent::Kind, Instant>> events;
  std::vector<StreamId> streams;  ///< opened by the other end
  std::vector<std::string> datagrams;
  std::optional<Error> closed;  ///< of the last connection that closed
  std::function<void(Instant, const TransportEvent&)> on_event;  ///< after the above

 private:
  void read(Connection& c, StreamId stream);
};

inline void TransportEnd::handle(Instant now, const TransportEvent& event) {
  using Kind = ConnectionEvent::Kind;
  Connection& c = *event.connection;
  const ConnectionEvent& e = event.event;
  events.push_back({e.kind, now});
  const auto known = std::ranges::find(connections, &c);
  if (known == connections.end()) connections.push_back(&c);
  switch (e.kind) {
    case Kind::kStreamOpened:
      streams.push_back(e.stream);
      inbox(c, e.stream).opened_by_peer = true;
      break;
    case Kind::kReadable: read(c, e.stream); break;
    case Kind::kWritable: ++inbox(c, e.stream).writable; break;
    case Kind::kStreamReset: inbox(c, e.stream).reset = e.code; break;
    case Kind::kStreamStopped: inbox(c, e.stream).stopped = e.code; break;
    case Kind::kStreamClosed: inbox(c, e.stream).closed = true; break;
    case Kind::kDatagram: datagrams.emplace_back(as_text(e.datagram)); break;
    case Kind::kClosed:
      closed = e.error;
      std::erase(connections, &c);
      break;
    default: break;
  }
  if (on_event) on_event(now, event);
}

inline void TransportEnd::read(Connection& c, StreamId stream) {
  Inbox& box = inbox(c, stream);
  ++box.readable;
  while (drain && !c.peek(stream).empty()) {
    const ByteView bytes = c.peek(stream);
    box.text += as_text(bytes);
    std::size_t n = bytes.size();
    if (echo && box.opened_by_peer) n = c.write(stream, bytes).value_or(0);
    c.consume(stream, n);
    if (n < bytes.size()) break;
  }
  box.ended = c.at_end(stream);
  if (echo && box.opened_by_peer && box.ended) c.finish(stream);
}

}  // namespace p2pa::test
