#pragma once
// Messages that wait or are under way: which is next, in which fragments, and what is sent again.

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "p2pagents/error.hpp"
#include "transport/mux/memory_budget.hpp"
#include "transport/udp/fec_sender.hpp"
#include "transport/udp/loss_recovery.hpp"
#include "transport/udp/message.hpp"
#include "transport/udp/packet_builder.hpp"

namespace p2pa::udp {

class MessageSender final {
 public:
  /// What a message costs beside its bytes.
  static constexpr std::size_t kMessageOverhead = 256;

  /// `bytes_max`: of all messages that wait or are not acknowledged, with kMessageOverhead each; they count
  /// against `memory` as well. REQUIRES that it and `fec` outlive this.
  MessageSender(std::size_t bytes_max, mux::MemoryBudget& memory, FecSender& fec)
      : bytes_max_(bytes_max), memory_(memory), fec_(fec) {}
  MessageSender(const MessageSender&) = delete;
  MessageSender& operator=(const MessageSender&) = delete;
  ~MessageSender() { clear(); }

  /// Copies the message. kInvalidArgument: no such channel, or correction of what is reliable and
  /// has no lifetime. kMessageTooLarge: over kSessionMessageBytesMax.
  /// kWouldBlock: there is no room, and nothing was taken.
  Result<void> push(Instant now, ByteView bytes, const SessionMessageOptions& options);

  /// Is there something to send of at least this priority?
  bool pending(int priority = INT8_MIN) const { return !ready_.empty() && priority_of(*ready_.begin()) >= priority; }
  /// REQUIRES that `fec` began the packet.
  void fill(PacketBuilder& packet, int priority = INT8_MIN);
  void on_acknowledged(const SentFrame& frame);
  void on_lost(const SentFrame& frame);

  /// When a message is to be given up.
  Instant next_deadline() const { return deadlines_.empty() ? kNever : deadlines_.begin()->first; }
  void on_deadline(Instant now);

  std::size_t bytes() const { return bytes_; }
  /// Reliable messages that are not acknowledged.
  std::size_t undelivered() const { return undelivered_; }
  void clear();

 private:
  using Id = std::uint64_t;
  using Turn = std::pair<int, Id>;  // by minus the priority, and then by age

  struct Entry {
    SessionMessageOptions options;
    std::uint64_t sequence = 0;
    Instant deadline = kNever;
    Bytes bytes;
    std::size_t sent = 0;  // bytes from here on never were
    bool ready = false;    // in ready_
    bool begun = false;
    bool skipping = false, skip_due = false;  // given up: the receiver is told
    bool over = false;                        // acknowledged
    bool corrected = false;
    std::size_t window_bytes = 0;             // as which it counts while it is open
    RangeSet lost, acknowledged;
  };
  struct Channel {
    std::uint64_t next_sequence = 0;
    std::deque<Id> open;       // of a reliable kind: from the oldest that is not acknowledged
    std::optional<Id> newest;  // of the sequenced kind
  };

  static int priority_of(const Turn& turn) { return -turn.first; }
  static bool reliable(const Entry& entry) { return entry.options.delivery >= Delivery::kReliable; }
  Channel& channel_of(const SessionMessageOptions& options);
  Entry* find(Id id);
  static bool has_something(const Entry& entry);
  void make_ready(Id id, Entry& entry);
  void leave_turn(Id id, Entry& entry);
  void admit();
  std::optional<Id> replaceable(const SessionMessageOptions& options);
  Result<void> reserve(std::size_t bytes);
  void release(std::size_t bytes);
  void erase(Id id);
  void finish(Id id, Entry& entry);
  void give_up(Id id, Entry& entry);
  bool put(Id id, Entry& entry, PacketBuilder& packet);
  bool put_fragment(Id id, Entry& entry, Range range, PacketBuilder& packet);

  const std::size_t bytes_max_;
  mux::MemoryBudget& memory_;
  FecSender& fec_;
  std::map<Id, Entry> entries_;
  std::map<std::pair<Delivery, std::uint8_t>, Channel> channels_;
  std::set<Turn> ready_;                        // those that have something to send and may
  std::deque<Id> waiting_;                      // reliable ones that are not open yet
  std::set<std::pair<Instant, Id>> deadlines_;
  Id next_id_ = 0;
  std::size_t bytes_ = 0, open_bytes_ = 0, open_count_ = 0, undelivered_ = 0;
};

}  // namespace p2pa::udp
