#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace p2pa {

/// The bounds of one node. What is over a bound is refused with a reason and counted. Node::open
/// takes no zero, but for handshakes, calls and inbound streams, of which a node may want none. What a
/// peer sends behind a gap waits in the QUIC engine: bounded by the windows below, not by memory_max.
struct Limits {
  std::uint32_t connections_max = 1024;
  std::uint32_t connections_per_peer_max = 8;
  // Per address, here and below: an IPv6 /64 counts as one, loopback is free; a peer's streams, calls and
  // memory count for the address of its newest connection.
  std::uint32_t connections_per_ip_max = 256;
  std::uint32_t handshakes_max = 256;           ///< in flight, inbound; from half of it on, Retry
  std::uint32_t handshakes_per_ip_max = 32;     ///< the same; when over half of all are taken, a quarter of the rest
  std::uint32_t streams_max = 65'536;
  std::uint32_t streams_per_peer_max = 4096;
  std::uint32_t streams_per_ip_max = 16'384;
  std::uint32_t streams_inbound_per_connection_max = 1024;  ///< the QUIC stream credit we give
  std::uint32_t calls_max = 16'384;             ///< rpc calls in flight, both directions together
  std::uint32_t calls_per_peer_max = 4096;
  std::uint32_t calls_per_ip_max = 4096;
  std::size_t memory_max = std::size_t{256} << 20;          ///< buffered payload bytes, whole node
  std::size_t memory_per_peer_max = std::size_t{64} << 20;
  std::size_t memory_per_ip_max = std::size_t{64} << 20;
  std::size_t message_bytes_max = std::size_t{4} << 20;     ///< one rpc message
  std::size_t stream_window = std::size_t{2} << 20;         ///< bytes a peer may send ahead, per stream
  std::size_t connection_window = std::size_t{8} << 20;     ///< and per connection
  std::size_t send_buffer_max = std::size_t{2} << 20;       ///< unacknowledged bytes we keep per stream
  std::uint32_t events_max = 65'536;            ///< C ABI: events waiting to be taken
};

/// How often each bound refused something, since the node began.
struct LimitCounters {
  enum Which : std::uint8_t {
    kConnections, kConnectionsPerPeer, kConnectionsPerIp, kHandshakes, kHandshakesPerIp,
    kStreams, kStreamsPerPeer, kCalls, kCallsPerPeer, kMemory, kMemoryPerPeer,
    kStreamsPerIp, kCallsPerIp, kMemoryPerIp, kCount
  };
  std::array<std::uint64_t, kCount> refused{};
  static std::string_view name(Which which) noexcept;
};

/// What is in use now of what Limits bounds.
struct LimitUsage {
  std::uint32_t handshakes = 0, connections = 0, streams = 0, calls = 0;
  std::size_t memory = 0;  ///< bytes of buffered payload
  bool operator==(const LimitUsage&) const = default;
};

}  // namespace p2pa
