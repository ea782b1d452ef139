#pragma once
// Connections that have closed and still answer for a while (RFC 9000 §10.2).

#include <cstdint>
#include <deque>
#include <unordered_map>

#include "transport/quic/farewell.hpp"
#include "transport/quic/outbox.hpp"

namespace p2pa::quic {

/// The last packet of each, sent again to who does not know yet; the more often it asks, the rarer.
class Lingering final {
 public:
  static constexpr std::size_t kEntriesMax = 1024;

  explicit Lingering(Outbox& outbox) : outbox_(outbox) {}
  Lingering(const Lingering&) = delete;
  Lingering& operator=(const Lingering&) = delete;

  /// Sends the farewell and remembers it. Over kEntriesMax the oldest is forgotten.
  void add(Instant now, Farewell farewell);
  /// True when the id is one of theirs: the datagram needs no other answer.
  bool handle(const Cid& cid, const InboundDatagram& datagram);
  void expire(Instant now);
  Instant next_deadline() const { return entries_.empty() ? kNever : entries_.front().until; }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::uint64_t number;
    Instant until;
    Farewell farewell;
    std::uint32_t heard = 0;
  };
  void drop_first();

  Outbox& outbox_;
  std::deque<Entry> entries_;  // by `until`, nearly; numbered one behind the other
  std::unordered_map<Cid, std::uint64_t, CidHash> by_cid_;
  std::uint64_t next_number_ = 0;
};

}  // namespace p2pa::quic
