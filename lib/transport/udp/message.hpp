#pragma once
// What is known of messages at both ends (docs/wire/udp.md §channels).

#include <cstddef>
#include <cstdint>

#include "p2pagents/session_message.hpp"

namespace p2pa::udp {

/// Of the reliable messages of a session that are open: begun, and they or one before them in their channel
/// not acknowledged.
inline constexpr std::size_t kOpenMessagesMax = 1024, kOpenBytesMax = std::size_t{1} << 20;

/// One that came.
struct Message {
  Delivery delivery = Delivery::kUnreliable;
  std::uint8_t channel = 0;
  Bytes bytes;
};

}  // namespace p2pa::udp
