#pragma once
// What a peer shows of itself in every Noise handshake (spec: noise/README.md §static key authentication).

#include <array>
#include <cstdint>

#include "crypto/x25519.hpp"
#include "p2pagents/key_pair.hpp"
#include "p2pagents/peer_id.hpp"

namespace p2pa::noise {

/// A static key and our signature over it. Made once for all channels of a node: it saves each of them
/// a key and a signature, and each session has fresh ephemeral keys anyway.
class Identity {
 public:
  Identity(const KeyPair& key, Rng& rng);

  const crypto::X25519KeyPair& static_key() const { return static_key_; }
  ByteView public_key() const { return public_key_; }  ///< the PublicKey protobuf
  ByteView signature() const { return signature_; }

 private:
  crypto::X25519KeyPair static_key_;
  Bytes public_key_;
  std::array<std::uint8_t, 64> signature_;
};

/// Is that static key the one of the owner of this PublicKey protobuf, and who is that? kBadKey: no
/// public key, or a bad one. kBadSignature: the owner did not sign this static key.
Result<PeerId> verify_identity(ByteView public_key, ByteView signature,
                               const crypto::X25519Public& static_key);

}  // namespace p2pa::noise
