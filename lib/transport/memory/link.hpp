#pragma once
// One direction between two ends in memory: what was sent arrives in order, after a delay.

#include <cstdint>
#include <deque>

#include "p2pagents/bytes.hpp"
#include "p2pagents/time.hpp"
#include "transport/connection.hpp"

namespace p2pa::memory {

struct Item {
  enum class Kind : std::uint8_t {
    kOpen,      ///< a stream
    kData,      ///< bytes
    kFinish,    ///< the end of a direction
    kReset,     ///< code: the abort of a direction
    kEnded,     ///< kFinish or kReset arrived
    kStop,      ///< code: the other direction is not read any more
    kCredit,    ///< amount: bytes that were consumed
    kDatagram,  ///< bytes
    kClose,     ///< code: of the connection
  };
  Kind kind;
  StreamId stream = 0;
  std::uint64_t code = 0;
  std::size_t amount = 0;
  Bytes bytes{};
};

class Link final {
 public:
  Link(Duration delay, std::size_t segment_bytes_max)
      : delay_(delay), segment_bytes_max_(segment_bytes_max) {}

  void send(Item item) { fresh_.push_back(std::move(item)); }
  /// As items of at most segment_bytes_max; bytes of one stream in a row share them.
  void send_bytes(StreamId stream, ByteView bytes);
  void send_credit(StreamId stream, std::size_t amount);

  /// What was sent since the last time begins its way.
  void depart(Instant now);
  /// When the next item arrives; a moment in the past while something has not departed.
  Instant next_arrival() const;
  /// Takes out the next item that has arrived.
  bool arrive(Instant now, Item& out);

 private:
  struct Moving {
    Instant arrival;
    Item item;
  };
  const Duration delay_;
  const std::size_t segment_bytes_max_;
  std::deque<Item> fresh_;
  std::deque<Moving> moving_;
};

}  // namespace p2pa::memory
