#pragma once
// Messages over UDP sessions (docs/wire/udp.md §channels): each says how it is to be delivered.

#include <cstddef>
#include <cstdint>

#include "p2pagents/bytes.hpp"
#include "p2pagents/time.hpp"

namespace p2pa {

inline constexpr std::uint8_t kSessionChannels = 64;  ///< numbered from 0; each kind of delivery has as many
inline constexpr std::size_t kSessionMessageBytesMax = 256 * 1024;

/// What becomes of a message; whatever its kind, it arrives whole or not at all.
enum class Delivery : std::uint8_t {
  kUnreliable,  ///< at most once, in any order
  kSequenced,   ///< at most once, and not after a newer one of its channel
  kReliable,    ///< once, as soon as it is complete
  kOrdered,     ///< once, in the order of sending on its channel
};

/// How a message is to travel.
struct SessionMessageOptions {
  Delivery delivery = Delivery::kUnreliable;
  std::uint8_t channel = 0;
  std::int8_t priority = 0;  ///< higher goes first; streams have 0, and messages of 0 go before them
  Duration lifetime{};       ///< after which it is sent no more; zero: for ever
  /// Forward error correction: what is lost of it is repaired from packets sent beside, about 0.02 of all without
  /// losses, 0.07 at 1 %, 0.13 at 3 %, and what is repaired after the lifetime is dropped. For what is late when sent
  /// again: kReliable and kOrdered need a lifetime for it. To a peer that knows no correction, or where there is no
  /// memory for it, it goes without.
  bool correction = false;
};

/// One that came.
struct SessionMessage {
  Delivery delivery = Delivery::kUnreliable;
  std::uint8_t channel = 0;
  ByteView bytes;
};

}  // namespace p2pa
