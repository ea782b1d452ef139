#pragma once
// The streams of one connection: what the application does to them, what the engine reports of them,
// and whose turn it is to send.

#include <cstdint>
#include <vector>

#include "transport/mux/engine.hpp"
#include "transport/mux/memory_budget.hpp"
#include "transport/mux/rate_gate.hpp"
#include "transport/mux/stream_queue.hpp"
#include "transport/mux/stream_table.hpp"

namespace p2pa::mux {

class MuxedConnection;
struct QueuedEvent;
struct Shared;

/// REQUIRES for the functions of the application: the id may be any; a dead one finds nothing.
class Streams final : private RateGate::Host {
 public:
  Streams(Shared& shared, MuxedConnection& owner);
  ~Streams() override;
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  /// Null at the close: from then on nothing is sent, and what arrived may still be read.
  void attach(Engine* engine);
  /// Whose memory bound the buffers count against.
  void set_peer(const PeerId& peer) { budget_.set_peer(peer); }

  // --- the application's side: see p2pa::Connection
  Result<StreamId> open();
  void set_context(StreamId id, void* context);
  void set_priority(StreamId id, Priority priority);
  void set_protocol(StreamId id, std::string_view protocol);
  ByteView peek(StreamId id) const;
  void consume(StreamId id, std::size_t n);
  bool at_end(StreamId id) const;
  Result<std::size_t> write(StreamId id, ByteView bytes);
  std::size_t writable(StreamId id) const;
  bool await_room(StreamId id, std::size_t bytes);
  void finish(StreamId id);
  void reset(StreamId id, std::uint64_t code);
  void stop(StreamId id, std::uint64_t code);
  std::size_t undelivered() const;
  /// Fills in what the application sees of a queued event. False: it does not concern it any more.
  bool take(const QueuedEvent& event, ConnectionEvent& out);

  // --- the engine's side
  StreamState& on_opened(std::int64_t wire_id);
  /// The peer opened one more than it may, and was told so.
  void on_refused();
  void on_data(StreamState& stream, ByteView bytes, bool end);
  /// `size` bytes at `offset`; none: the end, which went alone.
  void on_acknowledged(StreamState& stream, std::uint64_t offset, std::uint64_t size);
  void on_reset(StreamState& stream, std::uint64_t code);
  /// The peer wants no more of a stream. The engine acts on it by itself and tells nobody: it shows when
  /// something is to be sent.
  void on_stopped(StreamState& stream, std::uint64_t code = wire_code::kNone);
  /// Something arrived: streams that wait for credit try again, in case it was a stop.
  void retry_blocked(Instant now);
  void on_closed(StreamState& stream, std::uint64_t code);
  /// Now and then, when there is time.
  void tidy() { budget_.trim(); }
  /// Could a starved stream write now? Memory may be given back by any connection of the node.
  bool can_feed() const;
  /// Has the starved streams try again for which there is enough. True: none is left.
  bool feed();
  /// The peer allows more of it.
  void on_room(StreamState& stream);
  void on_streams_available();
  /// The engine forgot its streams (early data that was rejected): opens them again, all bytes unsent.
  void restart();

  // --- sending: the first in turn, until sent() or blocked() was said of it
  /// The most urgent for which there are tokens; null: none.
  StreamState* next_to_send();
  /// How much of what is unsent it may send now.
  std::size_t sendable(StreamState& stream) { return gate_.sendable(stream); }
  /// See AheadLimit.
  void hold_bulk(bool held) { queue_.hold_bulk(held); }
  bool something_to_send() const { return !queue_.empty(); }
  bool others_to_send() const { return queue_.size() > 1; }
  void sent(StreamState& stream, std::size_t n, bool end);
  /// It has no credit: on_room() follows.
  void wait_for_room(StreamState& stream) { leave_turn(stream); }
  /// The same where a stop may come instead: retry_blocked() tries.
  void blocked(StreamState& stream);

  /// For datagrams beside the streams.
  RateGate& gate() { return gate_; }

  std::uint64_t opened() const { return opened_; }
  std::uint64_t accepted() const { return accepted_; }

 private:
  // RateGate::Host
  void may_send(StreamState& stream) override { want_to_send(stream); }
  void may_read(StreamState& stream) override;
  void may_send_datagrams() override;

  void tell(StreamState& stream, ConnectionEvent::Kind kind, std::uint64_t code = 0);
  std::size_t buffer_room(const StreamState& stream) const;
  void starve(StreamState& stream, std::size_t memory);
  void want_to_send(StreamState& stream);
  void leave_turn(StreamState& stream);
  void end_for_application(StreamState& stream);
  void drop_received(StreamState& stream);
  void drop_sent(StreamState& stream);
  void abandon(StreamState& stream, std::uint64_t code);
  void note(const StreamState& stream, std::uint64_t code);
  void release(StreamState& stream);
  bool reopen(StreamState& stream);

  Shared& shared_;
  MuxedConnection& owner_;
  Engine* engine_ = nullptr;
  StreamTable table_;
  MemoryBudget budget_;
  RateGate gate_;
  StreamQueue queue_;
  std::vector<StreamId> blocked_;  // by the peer's flow control, each once
  std::vector<StreamId> starved_;  // by a bound on memory, each once
  std::size_t least_needed_ = 0;   // by one of them
  Instant next_retry_{};
  std::uint64_t opened_ = 0, accepted_ = 0;
  bool wants_streams_ = false;  // open() met the peer's limit
};

}  // namespace p2pa::mux
