#pragma once
#include <cstdint>
#include <vector>

#include "address/ip_endpoint.hpp"
#include "p2pagents/bytes.hpp"
#include "p2pagents/sim.hpp"
#include "transport/transport.hpp"

namespace p2pa::sim {

/// A datagram between its sending and its arrival, addressed as the open network sees it (behind
/// the senders' and receivers' NATs).
struct Packet {
  HostId from_host = kNoHost, to_host = kNoHost;
  IpEndpoint from, to;
  Ecn ecn = Ecn::kNone;
  Bytes bytes;
};

/// Packets by number; their buffers are used again.
class DatagramPool final {
 public:
  std::uint32_t take() {
    if (free_.empty()) {
      packets_.emplace_back();
      return static_cast<std::uint32_t>(packets_.size() - 1);
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    return slot;
  }
  void give_back(std::uint32_t slot) { free_.push_back(slot); }
  /// Valid until the next take().
  Packet& operator[](std::uint32_t slot) { return packets_[slot]; }

 private:
  std::vector<Packet> packets_;
  std::vector<std::uint32_t> free_;
};

}  // namespace p2pa::sim
