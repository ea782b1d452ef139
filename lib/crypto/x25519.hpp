#pragma once
// X25519 (RFC 7748) by libsodium.

#include <array>
#include <cstddef>
#include <cstdint>

#include "crypto/rng.hpp"
#include "crypto/secret_bytes.hpp"
#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa::crypto {

inline constexpr std::size_t kX25519Size = 32;  ///< of a secret, a public key and what two make

using X25519Public = std::array<std::uint8_t, kX25519Size>;
using X25519Secret = SecretBytes<kX25519Size>;

/// A secret and the public key that belongs to it. Neither copied nor moved, as its secret is not.
class X25519KeyPair {
 public:
  explicit X25519KeyPair(Rng& rng);
  /// REQUIRES 32 bytes.
  explicit X25519KeyPair(ByteView secret);

  const X25519Public& public_key() const { return public_; }
  /// What the two ends share. kBadKey: it is zero, which a peer that chose a point of small order has
  /// arranged (RFC 7748 §6.1).
  Result<void> agree(const X25519Public& theirs, X25519Secret& shared) const;

 private:
  X25519Secret secret_;
  X25519Public public_;
};

}  // namespace p2pa::crypto
