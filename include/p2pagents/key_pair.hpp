#pragma once
#include <array>
#include <string>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"
#include "p2pagents/peer_id.hpp"

namespace p2pa {

/// Our own identity: an Ed25519 key pair (spec: peer-ids/peer-ids.md §ed25519). Movable, not
/// copyable; the secret is wiped when it goes.
class KeyPair {
 public:
  static constexpr std::size_t kSeedSize = 32;

  /// From 32 bytes of entropy, or of a test's choosing.
  static KeyPair from_seed(ByteView seed32);
  /// From a PrivateKey protobuf (64-byte form, and the old 96-byte one if its two copies agree).
  static Result<KeyPair> from_protobuf(ByteView private_key);

  KeyPair(KeyPair&&) noexcept;
  KeyPair& operator=(KeyPair&&) noexcept;
  KeyPair(const KeyPair&) = delete;
  KeyPair& operator=(const KeyPair&) = delete;
  ~KeyPair();

  const PeerId& peer_id() const { return peer_id_; }
  /// The PublicKey protobuf, as it travels.
  ByteView public_key() const { return public_key_; }
  Bytes to_protobuf() const;  ///< PrivateKey protobuf; the caller wipes it
  std::array<std::uint8_t, 64> sign(ByteView message) const;
  /// A secret of our own derived from the key (HKDF-SHA256), stable across restarts:
  /// for example the stateless reset key. `out` up to 255 * 32 bytes.
  void derive(std::string_view info, MutableBytes out) const;

 private:
  KeyPair() = default;
  std::array<std::uint8_t, 64> secret_{};  // seed + public, libsodium's form
  Bytes public_key_;
  PeerId peer_id_;
};

}  // namespace p2pa
