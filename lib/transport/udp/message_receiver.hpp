#pragma once
// Messages that come: put together, in order where that was asked for, each once.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "p2pagents/error.hpp"
#include "transport/mux/memory_budget.hpp"
#include "transport/udp/frame_codec.hpp"
#include "transport/udp/message.hpp"
#include "transport/udp/range_set.hpp"

namespace p2pa::udp {

class MessageReceiver final {
 public:
  /// Messages of the unreliable kinds that are not complete: for one more the oldest goes.
  static constexpr std::size_t kPartialsMax = 64;
  /// And their bytes, when there is more than one.
  static constexpr std::size_t kPartialBytesMax = std::size_t{2} << 20;
  /// Pieces of one message with gaps between them.
  static constexpr std::size_t kPiecesMax = 1024;
  /// What is complete and was not taken; over it the unreliable is dropped, and the reliable is to come again.
  static constexpr std::size_t kCompleteBytesMax = std::size_t{1} << 20;

  /// What is kept counts against `memory`. REQUIRES that it outlives this.
  explicit MessageReceiver(mux::MemoryBudget& memory) : memory_(memory) {}
  MessageReceiver(const MessageReceiver&) = delete;
  MessageReceiver& operator=(const MessageReceiver&) = delete;
  ~MessageReceiver() { memory_.give_back(kept_); }

  /// False: it cannot be kept now, and its packet did as good as not arrive. kProtocolViolation: two sizes of
  /// one message, or more than a sender may have open.
  Result<bool> on_message(const MessageFrame& frame);
  Result<void> on_skip(const SkipFrame& frame);

  bool empty() const { return complete_.empty(); }
  std::size_t count() const { return complete_.size(); }
  /// The oldest that is complete. REQUIRES not empty.
  Message pop();
  /// Bytes of messages that are not complete, or wait for one before them.
  std::size_t open_bytes() const { return open_bytes_; }

 private:
  using ChannelKey = std::pair<Delivery, std::uint8_t>;

  struct Assembly {
    Bytes bytes;
    RangeSet present;
    bool complete = false;
  };
  struct Channel {
    RangeSet over;           // of a reliable kind: sequences that are complete or skipped
    std::uint64_t next = 0;  // ordered: to be delivered; sequenced: the first that is not too old
    std::map<std::uint64_t, Assembly> open;

    std::uint64_t floor() const { return over.empty() || over.front().begin > 0 ? 0 : over.front().end; }
  };

  Result<bool> on_reliable(const MessageFrame& frame);
  Result<bool> on_unreliable(const MessageFrame& frame);
  /// Memory for a message of this size. False: there is none.
  bool reserve(std::size_t bytes);
  void release(std::size_t bytes);
  /// An open one is given up.
  void erase(Channel& channel, std::uint64_t sequence);
  void give_up_oldest_partial();
  /// kProtocolViolation: too many pieces.
  Result<void> add(Assembly& assembly, const MessageFrame& frame);
  void deliver(const ChannelKey& key, Bytes bytes);
  /// Of an unreliable kind.
  void deliver_now(Channel& channel, const MessageFrame& frame, Bytes bytes);
  void deliver_in_order(Channel& channel, std::uint8_t number);

  mux::MemoryBudget& memory_;
  std::size_t kept_ = 0;  // of it
  std::map<ChannelKey, Channel> channels_;
  std::deque<std::pair<ChannelKey, std::uint64_t>> partials_;  // of the unreliable kinds, oldest first
  std::size_t partial_bytes_ = 0;
  std::deque<Message> complete_;
  std::size_t complete_bytes_ = 0;
  std::size_t open_bytes_ = 0, open_count_ = 0;  // of the reliable kinds
};

}  // namespace p2pa::udp
