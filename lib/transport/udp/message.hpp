#pragma once
// A message and how it is to travel (docs/wire/udp.md §channels).

#include <cstddef>
#include <cstdint>

#include "p2pagents/bytes.hpp"
#include "p2pagents/time.hpp"
#include "transport/udp/frame_codec.hpp"

namespace p2pa::udp {

/// Of the reliable messages of a session that are open: begun, and they or one before them in their channel
/// not acknowledged.
inline constexpr std::size_t kOpenMessagesMax = 1024, kOpenBytesMax = std::size_t{1} << 20;

struct MessageOptions {
  Delivery delivery = Delivery::kUnreliable;
  std::uint8_t channel = 0;  ///< < kChannelsMax; each kind has its own
  std::int8_t priority = 0;  ///< higher goes first; streams have 0, and messages of 0 go before them
  Duration lifetime{};       ///< after which it is sent no more; zero: for ever
};

/// One that came.
struct Message {
  Delivery delivery = Delivery::kUnreliable;
  std::uint8_t channel = 0;
  Bytes bytes;
};

}  // namespace p2pa::udp
