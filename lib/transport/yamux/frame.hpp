#pragma once
// The twelve bytes in front of every Yamux frame (spec: yamux/README.md §framing).

#include <array>
#include <cstdint>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa::yamux {

enum class FrameType : std::uint8_t { kData = 0, kWindowUpdate = 1, kPing = 2, kGoAway = 3 };

/// Bits of Frame::flags.
inline constexpr std::uint16_t kSyn = 1, kAck = 2, kFin = 4, kRst = 8;

/// What GoAway says in place of a code of the application.
inline constexpr std::uint32_t kGoAwayNormal = 0, kGoAwayProtocolError = 1, kGoAwayInternalError = 2;

struct Frame {
  FrameType type = FrameType::kData;
  std::uint16_t flags = 0;
  std::uint32_t stream = 0;  ///< 0: the session
  std::uint32_t length = 0;  ///< data: bytes that follow; window: credit, or a code with kRst; ping: its
                             ///< value; GoAway: its code

  bool has(std::uint16_t flag) const { return (flags & flag) != 0; }
  friend bool operator==(const Frame&, const Frame&) = default;
};

inline constexpr std::size_t kFrameHeaderSize = 12;

std::array<std::uint8_t, kFrameHeaderSize> encode_frame(const Frame& frame);
/// kMalformed: another version, an unknown type, data or a window of stream 0, a ping or GoAway of another.
Result<Frame> decode_frame(std::span<const std::uint8_t, kFrameHeaderSize> bytes);

}  // namespace p2pa::yamux
