#pragma once
// Ed25519 (RFC 8032) by libsodium.

#include <array>
#include <cstdint>

#include "p2pagents/bytes.hpp"

namespace p2pa::crypto {

inline constexpr std::size_t kEd25519SeedSize = 32;
inline constexpr std::size_t kEd25519PublicSize = 32;
inline constexpr std::size_t kEd25519SecretSize = 64;  ///< seed and public key
inline constexpr std::size_t kEd25519SignatureSize = 64;

using Ed25519Secret = std::array<std::uint8_t, kEd25519SecretSize>;
using Ed25519Signature = std::array<std::uint8_t, kEd25519SignatureSize>;

/// REQUIRES 32 bytes.
void ed25519_from_seed(ByteView seed, Ed25519Secret& secret);
Ed25519Signature ed25519_sign(const Ed25519Secret& secret, ByteView message);
/// False also for a key or a signature of another size, a weak key, and a non-canonical signature.
bool ed25519_verify(ByteView public_key, ByteView message, ByteView signature);

}  // namespace p2pa::crypto
