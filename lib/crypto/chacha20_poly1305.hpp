#pragma once
// AEAD_CHACHA20_POLY1305 (RFC 8439) by libsodium.

#include <array>
#include <cstddef>
#include <cstdint>

#include "crypto/secret_bytes.hpp"
#include "p2pagents/bytes.hpp"

namespace p2pa::crypto {

inline constexpr std::size_t kChachaKeySize = 32;
inline constexpr std::size_t kChachaNonceSize = 12;
inline constexpr std::size_t kChachaTagSize = 16;

using ChachaKey = SecretBytes<kChachaKeySize>;
using ChachaNonce = std::array<std::uint8_t, kChachaNonceSize>;

/// Writes the cipher text and the tag behind it. A nonce is good for one message under a key.
/// REQUIRES out.size() == plain.size() + kChachaTagSize, and no overlap.
void chacha20_poly1305_seal(const ChachaKey& key, const ChachaNonce& nonce, ByteView associated,
                            ByteView plain, MutableBytes out);

/// False: not what the owner of the key sealed; `out` is zeros then.
/// REQUIRES sealed.size() == out.size() + kChachaTagSize, and no overlap.
[[nodiscard]] bool chacha20_poly1305_open(const ChachaKey& key, const ChachaNonce& nonce,
                                          ByteView associated, ByteView sealed, MutableBytes out);

}  // namespace p2pa::crypto
