#pragma once
// One secured, authenticated, multiplexed connection, whatever carries it.

#include <cstdint>
#include <string_view>

#include "p2pagents/bytes.hpp"
#include "p2pagents/dial_report.hpp"
#include "p2pagents/error.hpp"
#include "p2pagents/multiaddr.hpp"
#include "p2pagents/peer_id.hpp"
#include "p2pagents/session_message.hpp"
#include "p2pagents/shaping.hpp"
#include "p2pagents/time.hpp"

namespace p2pa {

using StreamId = std::uint64_t;      ///< unique within its connection, chosen by the transport
using ConnectionId = std::uint64_t;  ///< unique within its node, never reused, never 0

struct ConnectionStats {
  Duration rtt{}, rtt_min{}, rtt_variance{};
  std::uint64_t bytes_sent = 0, bytes_received = 0;
  std::uint64_t packets_sent = 0, packets_received = 0;
  std::uint64_t packets_repeated = 0;  ///< lost, or of nothing but what had been sent before; 0: not told
  std::uint64_t congestion_window = 0;
  std::uint64_t streams_opened = 0, streams_accepted = 0;
  std::uint32_t mtu = 0;
};

/// What a connection reports. `context` is what set_context() put on the stream.
struct ConnectionEvent {
  enum class Kind : std::uint8_t {
    kEstablished,    ///< the peer is authenticated. A dialer hears it when its own handshake is complete,
                     ///< so that a request needs two round trips and not three; should the other end
                     ///< then refuse us, kClosed with kRefused follows
    kStreamOpened,   ///< by the peer; before kEstablished it came as 0-RTT and may be a replay: peer()
                     ///< is known, and only replay-safe protocols may be served on it
    kReadable,       ///< new bytes or the end; edge: once per arrival, drain with peek()/consume()
    kWritable,       ///< after a short write(): there is room again
    kStreamReset,    ///< the peer aborted its sending direction; code
    kStreamStopped,  ///< the peer wants no more of ours; what was queued is dropped; code, 0 if unknown
    kStreamClosed,   ///< both directions are over and all that came was consumed or given up (reset,
                     ///< stop); the id is dead after this event
    kStreamsAvailable,  ///< open_stream() that answered kLimitStreams may be tried again
    kDatagram,       ///< `datagram` is valid during the event
    kMessage,        ///< so are its bytes there; code: the channel, and the kind of delivery times 256
    kPathChanged,    ///< remote_address() changed and was validated
    kClosed,         ///< last event; `error` says why; every stream is gone without events of its own
  };
  Kind kind;
  StreamId stream = 0;
  void* context = nullptr;
  std::uint64_t code = 0;
  ByteView datagram{};
  Error error{};
};

/// A port: one implementation per transport. Single-threaded, owned by its Transport; a reference
/// is valid until the kClosed event was handled. No call runs a handler: results come as events.
class Connection {
 public:
  virtual ~Connection() = default;

  virtual ConnectionId id() const = 0;
  /// Whom we talk to. Of an outbound connection this is the expected peer from the start.
  virtual const PeerId& peer() const = 0;
  virtual const Multiaddr& remote_address() const = 0;
  virtual const Multiaddr& local_address() const = 0;
  virtual bool outbound() const = 0;
  /// True after kEstablished and before close.
  virtual bool established() const = 0;
  /// How far it has got, or had when it closed; kConnected to kMuxing. The default knows no stages between.
  virtual DialStage stage() const { return established() ? DialStage::kConnected : DialStage::kConnecting; }
  /// True while data may be sent as 0-RTT, before kEstablished: only replay-safe protocols may.
  virtual bool early_data_possible() const = 0;

  /// Opens a two-way stream. kLimitStreams: the peer's limit; wait for kStreamsAvailable.
  /// kInvalidState: closed, or not established and `replay_safe` is false.
  virtual Result<StreamId> open_stream(bool replay_safe) = 0;
  virtual void set_context(StreamId stream, void* context) = 0;
  /// How urgent it is what is written to the stream, from now on; kInteractive if never said. Means nothing where
  /// nothing is shared.
  virtual void set_priority(StreamId, Priority) {}
  /// Whose limits it falls under besides the node's and the peer's.
  virtual void set_protocol(StreamId, std::string_view /*protocol*/) {}

  /// The received bytes that lie together at the front; empty when there are none. Valid until the
  /// next consume() on this stream or the next event of the transport.
  virtual ByteView peek(StreamId stream) const = 0;
  /// Drops n bytes of peek() and gives the peer that much credit again.
  virtual void consume(StreamId stream, std::size_t n) = 0;
  /// The peer finished and everything was consumed.
  virtual bool at_end(StreamId stream) const = 0;

  /// Queues bytes (copied) up to the send buffer's bound and the bounds on memory, and says how many
  /// were taken, perhaps none; a short count is followed by kWritable when it is worth another try, also
  /// when the memory is given back elsewhere in the node. kStreamFinished: finish(), reset() or a stop came
  /// before. kClosed: the connection is.
  virtual Result<std::size_t> write(StreamId stream, ByteView bytes) = 0;
  /// How much write() would take now.
  virtual std::size_t writable(StreamId stream) const = 0;
  /// For what is taken whole or not at all: kWritable follows when it may be worth another try. What is over
  /// the send buffer is the writer's to keep, in the same memory. False, and nothing follows: the bounds never
  /// allow it.
  virtual bool await_room(StreamId stream, std::size_t bytes) = 0;
  /// Ends our direction after what is queued.
  virtual void finish(StreamId stream) = 0;
  /// Aborts both directions (RESET_STREAM and STOP_SENDING) with an application code.
  virtual void reset(StreamId stream, std::uint64_t code) = 0;
  /// Tells the peer that we read no more; what arrives is dropped.
  virtual void stop(StreamId stream, std::uint64_t code) = 0;

  /// Bytes written to its streams, and ends of them, that the peer has not acknowledged. What was reset or
  /// stopped does not count. After close() nothing more is delivered.
  virtual std::size_t undelivered() const = 0;
  /// Somebody waits for undelivered() to become 0: asks the peer, where it does not tell by itself.
  virtual void ask_delivery() {}

  /// Unreliable, unordered, at most datagram_size_max() bytes. kUnsupported: the peer takes none.
  /// kWouldBlock: the queue is full and nothing was taken.
  virtual Result<void> send_datagram(ByteView payload) = 0;
  virtual std::size_t datagram_size_max() const = 0;  ///< 0 when unsupported

  /// Queues a message (copied); at the other end it is a kMessage. kUnsupported: no session over UDP.
  /// kMessageTooLarge. kInvalidArgument: no such channel. kWouldBlock: the queue is full and nothing was taken.
  virtual Result<void> send_message(ByteView, const SessionMessageOptions&) {
    return fail(Code::kUnsupported, "only sessions over UDP carry messages");
  }
  virtual std::size_t message_size_max() const { return 0; }  ///< 0 when unsupported

  /// Starts an orderly close; kClosed follows.
  virtual void close(std::uint64_t code, std::string_view reason) = 0;
  virtual ConnectionStats stats(Instant now) const = 0;

  /// When the peer was heard last, whatever it said. kNever: the connection does not tell.
  virtual Instant heard_at() const { return kNever; }
  /// Asks the peer for a sign of life, as cheaply as the connection can: a packet that must be answered.
  virtual void probe() {}
};

/// Application error codes of connections and streams (libp2p/specs PR 623).
namespace wire_code {
inline constexpr std::uint64_t kNone = 0;
inline constexpr std::uint64_t kConnNegotiationFailed = 0x1000, kConnResourceLimit = 0x1001,
                               kConnRateLimited = 0x1002, kConnProtocolViolation = 0x1003,
                               kConnSupplanted = 0x1004, kConnGarbageCollected = 0x1005,
                               kConnShutdown = 0x1006, kConnGated = 0x1007;
inline constexpr std::uint64_t kStreamNegotiationFailed = 0x1001, kStreamResourceLimit = 0x1002,
                               kStreamRateLimited = 0x1003, kStreamProtocolViolation = 0x1004,
                               kStreamSupplanted = 0x1005, kStreamGarbageCollected = 0x1006,
                               kStreamShutdown = 0x1007, kStreamGated = 0x1008;
}  // namespace wire_code

}  // namespace p2pa
