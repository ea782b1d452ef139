#pragma once
#include "crypto/signature.hpp"
#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"
#include "p2pagents/peer_id.hpp"

namespace p2pa {

/// A peer's key as it travels: PublicKey{1 Type, 2 Data} (spec: peer-ids/peer-ids.md §keys).
struct PublicKey {
  crypto::KeyType type = crypto::KeyType::kEd25519;
  Bytes data;  ///< see crypto::verify_signature()

  /// kBadKey: not the one deterministic encoding (peer ids hang on it), an unknown type, or a size
  /// that no key of the type has. Whether the key itself is any good, verify() says.
  static Result<PublicKey> decode(ByteView protobuf);
  Bytes encode() const;

  PeerId peer_id() const { return PeerId::from_public_key(encode()); }
  /// kBadKey, kBadSignature: see crypto::verify_signature().
  Result<void> verify(ByteView message, ByteView signature) const;

  friend bool operator==(const PublicKey&, const PublicKey&) = default;
};

/// The longest encoding: type, and the longest data behind two bytes of length.
inline constexpr std::size_t kPublicKeyBytesMax = crypto::kPublicKeyDataMax + 5;

}  // namespace p2pa
