#pragma once
// What the second and the third message of a handshake say (docs/wire/udp.md §handshake).

#include <cstdint>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"
#include "transport/noise/payload_codec.hpp"

namespace p2pa::udp {

struct Parameters {
  std::uint64_t data = 0;         ///< bytes that the sender of these takes on all streams, at first
  std::uint64_t stream_data = 0;  ///< on one
  std::uint64_t streams = 0;      ///< that its peer may open, at first
  std::uint64_t idle_ms = 0;
  bool fec = false;               ///< that it understands frames of the code
  bool aes = false;               ///< that it has hardware for AES-256-GCM
  friend bool operator==(const Parameters&, const Parameters&) = default;
};

struct HandshakePayload {
  noise::Payload identity;  ///< views
  Parameters parameters;
};

Bytes encode(const HandshakePayload& payload);
/// Unknown parameters are left out. kMalformed: cut short, a parameter twice, or no identity of libp2p.
Result<HandshakePayload> decode_handshake(ByteView payload);

}  // namespace p2pa::udp
