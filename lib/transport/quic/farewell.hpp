#pragma once
#include <vector>

#include "transport/quic/cid_table.hpp"
#include "transport/transport.hpp"

namespace p2pa::quic {

/// What is left to do when a connection has closed (RFC 9000 §10.2).
struct Farewell {
  ConnectionId connection = 0;
  std::vector<Cid> cids;  ///< still ours until `linger` is over
  Bytes packet;           ///< CONNECTION_CLOSE, to be repeated; empty: say nothing
  Duration linger{};
  Transmit to;
};

}  // namespace p2pa::quic
