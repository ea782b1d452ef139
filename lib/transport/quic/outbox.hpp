#pragma once
// Single datagrams that are ready to go: answers of no connection, farewells, and packets that did
// not fit into a batch.

#include <deque>

#include "transport/transport.hpp"

namespace p2pa::quic {

class Outbox final {
 public:
  static constexpr std::size_t kDatagramsMax = 256;

  /// False: what is over the bound is lost, as datagrams may be.
  bool push(const Transmit& to, ByteView bytes);
  /// Copies the oldest into `buffer`. False: none.
  bool pop(MutableBytes buffer, Transmit& out);

 private:
  struct Datagram {
    Transmit to;
    Bytes bytes;
  };
  std::deque<Datagram> waiting_;
};

}  // namespace p2pa::quic
