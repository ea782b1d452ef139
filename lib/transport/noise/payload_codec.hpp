#pragma once
// NoiseHandshakePayload, which travels in the second and the third message (spec: noise/README.md §the
// libp2p handshake payload).

#include <cstddef>
#include <string_view>
#include <vector>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa::noise {

/// Muxers that a list may have, as many as go reads, and the bytes of one.
inline constexpr std::size_t kMuxersMax = 100, kMuxerBytesMax = 256;

/// Views into what was decoded, or into what is to be encoded.
struct Payload {
  ByteView identity_key;  ///< the PublicKey protobuf
  ByteView identity_sig;  ///< by it, over the sender's static key
  /// The extension stream_muxers, in the order of preference; without any it is not sent.
  std::vector<std::string_view> muxers;
};

Bytes encode(const Payload& payload);
/// Of a field that comes again the last counts, of a list all entries do, as in all protobuf; unknown
/// fields, certificate hashes among them, are left out. kMalformed: not protobuf, more muxers than
/// kMuxersMax, or a longer one than kMuxerBytesMax (detail: the bound).
Result<Payload> decode(ByteView protobuf);

}  // namespace p2pa::noise
