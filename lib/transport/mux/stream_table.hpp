#pragma once
// The streams of one connection.

#include <cstdint>
#include <memory>
#include <vector>

#include "p2pagents/shaping.hpp"
#include "transport/connection.hpp"
#include "transport/mux/receive_buffer.hpp"
#include "transport/mux/send_buffer.hpp"

namespace p2pa::mux {

/// Our direction. kOpen -> kFinishing -> kFinished, and from each of them -> kAborted.
enum class SendState : std::uint8_t {
  kOpen,
  kFinishing,  ///< finish() was called; the end is not on the wire yet
  kFinished,   ///< all is on the wire
  kAborted,    ///< reset by us, or the peer wants no more
};

/// The peer's direction. kOpen -> kFinished, kReset or kIgnored.
enum class ReceiveState : std::uint8_t {
  kOpen,
  kFinished,  ///< everything is here
  kReset,     ///< aborted: by the peer, or by a bound on memory
  kIgnored,   ///< stop(): what arrives is dropped
};

/// What the application still has to hear. Each state allows fewer events than the one before.
enum class StreamLife : std::uint8_t {
  kOpen,
  kClosing,  ///< kStreamClosed is queued: no event of this stream follows it
  kClosed,   ///< and was taken: the application's id is dead
};

struct ShapedStream;

struct StreamState {
  StreamState();
  ~StreamState();  // where ShapedStream is known

  StreamId id = 0;
  std::int64_t wire_id = -1;  ///< the engine's number
  void* carried = nullptr;    ///< the engine's own, for what it knows of the stream
  void* context = nullptr;
  SendBuffer send;
  ReceiveBuffer receive;
  std::unique_ptr<ShapedStream> shaped;  ///< while there are limits
  std::uint64_t protocol = 0;            ///< for those: shaping::key_of(); 0 until it is known
  StreamState* next = nullptr;  ///< in the list of those that have something to send, or of the free ones
  Priority priority = Priority::kInteractive;
  SendState sending = SendState::kOpen;
  ReceiveState receiving = ReceiveState::kOpen;
  StreamLife life = StreamLife::kOpen;
  std::size_t starved = 0;  ///< a write was short: a bound on memory; this much is needed for another try
  bool inbound = false;
  bool in_engine = false;        ///< the engine may call back about wire_id, and points into `send`
  bool readable_queued = false;  ///< a kReadable is queued that covers what arrives until it is taken
  bool wants_room = false;       ///< a write was short: the buffer's bound
  bool send_queued = false;
  bool end_pending = false;  ///< the end went alone and is not acknowledged
  bool blocked = false;  ///< noted to be tried again
};

/// Streams at stable addresses, found by id in constant time. An id is a slot number and a serial
/// number, so that a dead id finds nothing.
class StreamTable final {
 public:
  StreamTable() = default;
  StreamTable(const StreamTable&) = delete;
  StreamTable& operator=(const StreamTable&) = delete;

  StreamState& open();
  /// Null: no such stream.
  StreamState* find(StreamId id) const;
  /// REQUIRES its buffers are empty.
  void release(StreamState& stream);
  std::size_t size() const { return size_; }

  /// In the order of slots; `visit` neither opens nor releases.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (std::size_t i = 0; i < blocks_.size() * kBlockSize; ++i) {
      StreamState& stream = blocks_[i / kBlockSize][i % kBlockSize];
      if (stream.id != 0) visit(stream);
    }
  }

 private:
  static constexpr std::size_t kBlockSize = 8;
  static constexpr int kIndexBits = 24;  // more streams than a connection can have

  std::vector<std::unique_ptr<StreamState[]>> blocks_;
  StreamState* free_ = nullptr;
  std::size_t size_ = 0;
  std::uint64_t serial_ = 0;
};

}  // namespace p2pa::mux
