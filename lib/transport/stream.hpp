#pragma once
// One negotiated stream as a protocol sees it, and the two ports between protocols and the node.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "transport/connection.hpp"
#include "transport/multistream/negotiation.hpp"

namespace p2pa {

class Stream;

/// What a protocol implements. Called only from the node's turn, never from inside a Stream call.
class StreamHandler {
 public:
  virtual ~StreamHandler() = default;

  /// What its streams have in the beginning.
  virtual Priority priority() const { return Priority::kInteractive; }
  /// The stream is ours: inbound after its protocol was agreed, outbound as soon as it may be
  /// written (the proposal travels with the first bytes). `stream.tag()` is the opener's.
  virtual void on_stream_open(Instant now, Stream& stream) = 0;
  /// open_stream() failed; the one and only answer then.
  virtual void on_stream_failed(Instant now, std::uint64_t tag, const Error& why) = 0;
  /// New bytes, or the end (stream.at_end()).
  virtual void on_readable(Instant now, Stream& stream) = 0;
  /// Room again after a short write.
  virtual void on_writable(Instant now, Stream& stream) = 0;
  /// The peer reads no more (STOP_SENDING); queued bytes were dropped. Not an error by itself: a
  /// go peer that closes its stream says this too.
  virtual void on_stopped(Instant, Stream&, std::uint64_t /*code*/) {}
  /// Last call for this stream. code kOk: both directions ended well, or the handler reset it.
  /// Otherwise kStreamReset (the peer aborted its direction and so ended both; detail: its code),
  /// kProtocolUnsupported, kNegotiation, or why the connection went.
  virtual void on_stream_closed(Instant now, Stream& stream, const Error& why) = 0;
};

/// A stream of a connection together with its multistream negotiation and its handler. Owned by the
/// swarm; a reference is valid until on_stream_closed returned. Neither copied nor moved.
class Stream final {
 public:
  Stream(Connection& connection, StreamId id) : connection_(&connection), id_(id) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  const PeerId& peer() const { return connection_->peer(); }
  Connection& connection() const { return *connection_; }
  StreamId id() const { return id_; }
  bool outbound() const { return negotiation_.initiator(); }
  /// The agreed (outbound: proposed) protocol id.
  std::string_view protocol() const { return negotiation_.protocol(); }
  /// A number of the protocol's own: what it gave to open_stream(), or set since.
  std::uint64_t tag() const { return tag_; }
  void set_tag(std::uint64_t tag) { tag_ = tag; }

  void set_priority(Priority priority) { connection_->set_priority(id_, priority); }
  ByteView peek() const;  ///< see Connection; empty while negotiation is under way
  void consume(std::size_t n) { connection_->consume(id_, n); }
  bool at_end() const;    ///< see Connection; false while negotiation is under way
  Result<std::size_t> write(ByteView bytes) { return connection_->write(id_, bytes); }
  std::size_t writable() const { return connection_->writable(id_); }
  bool await_room(std::size_t bytes) { return connection_->await_room(id_, bytes); }
  void finish() { connection_->finish(id_); }
  void reset(std::uint64_t code) { connection_->reset(id_, code); }
  void stop(std::uint64_t code) { connection_->stop(id_, code); }

  // For the swarm.
  //
  // Outbound: propose(), then the handler's on_stream_open() at once, so that the proposal leaves in
  // one packet with the protocol's first bytes. Inbound: listen(). Both: on every kReadable call
  // negotiate() until it answers true; from then on (and in that event too, when bytes or the end are
  // there) the handler's on_readable().
  /// `scratch` is overwritten; lend the same buffer each time. kLimitMemory: a fresh stream that
  /// takes less than a proposal.
  Result<void> propose(std::string_view protocol, Bytes& scratch);
  void listen() { negotiation_.listen(); }
  /// Takes what has arrived and writes the answers. True: agreed now. Errors: kNegotiation (also when
  /// the peer ended too early), kProtocolUnsupported. After one the stream is ended on our side: reset,
  /// or, when we refused a proposal, finished, so that the peer can read the `na`.
  Result<bool> negotiate(const multistream::Negotiation::Known& known, Bytes& scratch);

  multistream::Negotiation& negotiation() { return negotiation_; }
  const multistream::Negotiation& negotiation() const { return negotiation_; }
  StreamHandler* handler() const { return handler_; }
  void set_handler(StreamHandler* handler) { handler_ = handler; }
  /// From now on it is of its handler's class, and falls under its protocol's limits. REQUIRES a handler.
  void join_class();

 private:
  Result<void> advance_negotiation(const multistream::Negotiation::Known& known, Bytes& scratch);

  Connection* connection_;
  StreamId id_;
  std::uint64_t tag_ = 0;
  StreamHandler* handler_ = nullptr;
  multistream::Negotiation negotiation_;
};

struct OpenStreamOptions {
  bool replay_safe = false;  ///< may travel as 0-RTT
  bool may_dial = true;      ///< false: only over a connection that exists
  ConnectionId connection = 0;  ///< only over this one; 0: whichever is best
};

/// "I want a stream to X": the node's answer is on_stream_open or on_stream_failed of `handler`,
/// later in this turn or in another, exactly once, carrying `tag`.
class StreamOpener {
 public:
  virtual ~StreamOpener() = default;
  virtual void open_stream(const PeerId& peer, std::string_view protocol, StreamHandler& handler,
                           std::uint64_t tag, OpenStreamOptions options) = 0;
};

/// A whole protocol: its ids, its streams and its clock. The node asks next_deadline() after every
/// turn in which it called the protocol.
class Protocol : public StreamHandler {
 public:
  /// Ids that inbound streams may ask for, best first; constant during the node's life.
  virtual std::vector<std::string> protocol_ids() const = 0;
  /// May requests to this protocol be answered twice without harm (0-RTT)?
  virtual bool replay_safe() const { return false; }
  virtual void on_connected(Instant, Connection&) {}
  virtual void on_disconnected(Instant, Connection&, const Error& /*why*/) {}
  virtual Instant next_deadline() const { return kNever; }
  virtual void on_deadline(Instant) {}
  /// Answers that may not come inside the call that caused them: while has_work(), the node calls
  /// on_turn() once in every turn, after it has handed out events.
  virtual bool has_work() const { return false; }
  virtual void on_turn(Instant) {}
};

}  // namespace p2pa
