#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "address/ip_endpoint.hpp"
#include "p2pagents/bytes.hpp"
#include "p2pagents/sim.hpp"

namespace p2pa::sim {

/// A TCP segment (RFC 9293). Sequence numbers have 64 bits here: they never wrap. There is no window
/// in it: an application of the world takes everything at once, so every window is kTcpWindow.
struct TcpSegment {
  static constexpr std::size_t kBlocksMax = 4;  ///< that a real header has room for
  /// What arrived out of order (SACK, RFC 2018).
  struct Block {
    std::uint64_t begin = 0, end = 0;
  };

  bool syn = false, ack = false, fin = false, rst = false;
  std::uint64_t sequence = 0;      ///< of the first byte, or of what stands for SYN and FIN
  std::uint64_t acknowledged = 0;  ///< all before it has arrived; holds when `ack`
  std::array<Block, kBlocksMax> blocks{};
  std::size_t blocks_count = 0;
  Bytes bytes;

  /// What it takes of the sequence numbers.
  std::uint64_t length() const { return bytes.size() + (syn ? 1 : 0) + (fin ? 1 : 0); }
  std::uint64_t end() const { return sequence + length(); }
  std::size_t header_size() const { return 20 + (blocks_count == 0 ? 0 : 4 + 8 * blocks_count); }
  /// Empty again, with the buffer it had.
  void clear() {
    Bytes buffer = std::move(bytes);
    buffer.clear();
    *this = {};
    bytes = std::move(buffer);
  }
};

/// What a receiver takes beyond the first byte that is missing.
inline constexpr std::size_t kTcpWindow = std::size_t{1} << 20;

/// A segment between its sending and its arrival, addressed as the open network sees it.
struct TcpPacket {
  HostId from_host = kNoHost, to_host = kNoHost;
  IpEndpoint from, to;
  TcpSegment segment;
};

}  // namespace p2pa::sim
