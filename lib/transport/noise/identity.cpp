#include "transport/noise/identity.hpp"

#include "base/byte_writer.hpp"
#include "identity/public_key.hpp"

namespace p2pa::noise {

namespace {

Bytes signed_message(const crypto::X25519Public& static_key) {
  Bytes message;
  ByteWriter writer(message);
  writer.append("noise-libp2p-static-key:");
  writer.append(static_key);
  return message;
}

}  // namespace

Identity::Identity(const KeyPair& key, Rng& rng)
    : static_key_(rng),
      public_key_(key.public_key().begin(), key.public_key().end()),
      signature_(key.sign(signed_message(static_key_.public_key()))) {}

Result<PeerId> verify_identity(ByteView public_key, ByteView signature,
                               const crypto::X25519Public& static_key) {
  const auto key = PublicKey::decode(public_key);
  if (!key) return std::unexpected(key.error());
  if (const auto verified = key->verify(signed_message(static_key), signature); !verified) {
    return std::unexpected(verified.error());
  }
  return PeerId::from_public_key(public_key);
}

}  // namespace p2pa::noise
