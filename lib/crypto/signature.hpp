#pragma once
// Signatures of the four kinds of key that the network uses (spec: peer-ids/peer-ids.md §keys).

#include <cstddef>
#include <cstdint>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa::crypto {

/// The numbers of the PublicKey protobuf.
enum class KeyType : std::uint8_t { kRsa = 0, kEd25519 = 1, kSecp256k1 = 2, kEcdsa = 3 };

/// RSA keys outside these sizes are not looked at: small ones are weak, large ones cost seconds
/// (CVE-2023-39533).
inline constexpr unsigned kRsaBitsMin = 2048;
inline constexpr unsigned kRsaBitsMax = 8192;
/// An 8192-bit RSA key as SubjectPublicKeyInfo takes 1,062 bytes.
inline constexpr std::size_t kPublicKeyDataMax = 1100;
inline constexpr std::size_t kSignatureSizeMax = kRsaBitsMax / 8;

/// Did the owner of this key sign this message? `key_data` is the Data of the PublicKey protobuf:
/// Ed25519 32 raw bytes; secp256k1 33 bytes, compressed; RSA and ECDSA a DER SubjectPublicKeyInfo.
/// RSA is PKCS #1 v1.5, ECDSA and secp256k1 are in DER, all three over SHA-256.
/// kBadKey: not a key of this type, or outside the bounds. kBadSignature: the answer is no.
Result<void> verify_signature(KeyType type, ByteView key_data, ByteView message, ByteView signature);

}  // namespace p2pa::crypto
