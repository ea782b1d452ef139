#pragma once
// A connection whose streams mux::Streams keeps: what all such have in common, whatever carries them.

#include "transport/mux/streams.hpp"

namespace p2pa::mux {

struct QueuedEvent;

class MuxedConnection : public p2pa::Connection {
 public:
  MuxedConnection(Shared& shared, ConnectionId id, bool outbound, const Multiaddr& remote, const Multiaddr& local);

  ConnectionId id() const final { return id_; }
  bool outbound() const final { return outbound_; }
  const PeerId& peer() const final { return peer_; }
  const Multiaddr& remote_address() const final { return remote_address_; }
  const Multiaddr& local_address() const final { return local_address_; }

  void set_context(StreamId id, void* context) final { streams_.set_context(id, context); }
  void set_priority(StreamId id, Priority priority) final { streams_.set_priority(id, priority); }
  void set_protocol(StreamId id, std::string_view protocol) final { streams_.set_protocol(id, protocol); }
  ByteView peek(StreamId id) const final { return streams_.peek(id); }
  void consume(StreamId id, std::size_t n) final { streams_.consume(id, n); }
  bool at_end(StreamId id) const final { return streams_.at_end(id); }
  Result<std::size_t> write(StreamId id, ByteView bytes) final { return streams_.write(id, bytes); }
  std::size_t writable(StreamId id) const final { return streams_.writable(id); }
  bool await_room(StreamId id, std::size_t bytes) final { return streams_.await_room(id, bytes); }
  void finish(StreamId id) final { streams_.finish(id); }
  void reset(StreamId id, std::uint64_t code) final { streams_.reset(id, code); }
  void stop(StreamId id, std::uint64_t code) final { streams_.stop(id, code); }
  std::size_t undelivered() const override { return streams_.undelivered(); }

  // For the endpoint.
  /// Turns a queued event into what the application sees. False: it does not concern it any more.
  bool take(const QueuedEvent& event, ConnectionEvent& out);
  /// Gives back memory that is kept for the next bytes.
  virtual void tidy() { streams_.tidy(); }

 protected:
  /// The peer has proven who it is.
  void identified(const PeerId& peer);
  /// Fills in what take() does not know of an event of the connection itself.
  virtual void describe(ConnectionEvent& event) = 0;

  const ConnectionId id_;
  const bool outbound_;
  PeerId peer_;
  Multiaddr remote_address_, local_address_;
  Streams streams_;
  Error why_{};  // of kClosed
};

}  // namespace p2pa::mux
