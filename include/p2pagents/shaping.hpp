#pragma once
// Who goes first, and how fast: classes of streams, and limits on what a node, a peer or a protocol moves.

#include <cstddef>
#include <cstdint>

namespace p2pa {

/// How urgent it is what this end writes to a stream. A more urgent class goes first; one that waits gets an
/// eighth of what the others send at least, so that none starves. The peer's direction is the peer's to order.
enum class Priority : std::uint8_t {
  kControl,      ///< short and waited for: pings, what keeps a network together
  kInteractive,  ///< requests and their answers
  kBulk,         ///< what takes its time
};

/// As seen from this node.
enum class Direction : std::uint8_t { kOutbound, kInbound };

/// A token bucket: bytes of streams and datagrams, as their writers and readers see them; what carries them
/// (headers, acknowledgements, what is sent again) comes on top.
struct RateLimit {
  static constexpr std::uint64_t kBytesPerSecondMax = 100'000'000'000;
  static constexpr std::uint64_t kBurstBytesMax = std::uint64_t{1} << 32;

  std::uint64_t bytes_per_second = 0;  ///< 1 to kBytesPerSecondMax
  /// What may go at once after a pause, to kBurstBytesMax. Zero: what goes in 50 ms, and 16 KiB at least.
  std::uint64_t burst_bytes = 0;

  bool operator==(const RateLimit&) const = default;
};

}  // namespace p2pa
