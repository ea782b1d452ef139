#pragma once
// Messages to everybody on the local network, signed (docs/wire/lan.md): no connection, no address, no server.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "p2pagents/bytes.hpp"
#include "p2pagents/peer_id.hpp"

namespace p2pa {

/// What fits in one datagram beside topic, key and signature; longer ones are not cut into several.
inline constexpr std::size_t kLanMessageBytesMax = 960;
inline constexpr std::size_t kLanTopicBytesMax = 64;
inline constexpr std::size_t kLanTopicsMax = 256;  ///< that one node may join
inline constexpr std::size_t kLanApplicationBytesMax = 255;

/// Which messages of a local network are ours.
struct LanOptions {
  std::uint16_t port = 4010;  ///< of UDP, the same at all; nodes of one host share it
  /// Nodes hear only those that say the same here; UTF-8. In a private network (NodeOptions::network_key) only
  /// those with its key beside, and nobody else can read what is sent.
  std::string application;
  /// Over IPv4 to all hosts of the subnet instead of to those that joined: where multicast does not pass.
  bool broadcast = false;
};

/// One that came. Delivered once, however many interfaces it came over.
struct LanMessage {
  PeerId from;  ///< whose key has signed it
  std::string_view topic;
  ByteView bytes;
};

/// What was dropped of what came from the local network, by reason, since the node began.
struct LanCounters {
  enum Which : std::uint8_t {
    kMalformed,     ///< no message of this format, or not sealed with our network's key
    kOtherNetwork,  ///< of another application or private network
    kOffLink,       ///< not sent to the link, or from no address on it
    kGated,         ///< a rule denies the sender, its address or the protocol
    kNotJoined,     ///< of a topic that nobody here joined
    kDuplicate,     ///< delivered before: over another interface, or replayed
    kRateLimited,   ///< more than we verify, or answer, of this source or of all
    kBadSignature,
    kUnproven,      ///< its sender did not prove in time that it is there: a replay, or it has gone
    kStale,         ///< sent long before its sender proved that
    kFull,          ///< no room: for one sender more, to keep it until the proof, or until the node's turn
    kCount
  };
  std::array<std::uint64_t, kCount> dropped{};
  static std::string_view name(Which which) noexcept;
};

}  // namespace p2pa
