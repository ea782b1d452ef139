#pragma once
// SHA-256 and what is built on it, and SHA-1. GnuTLS does the work: it uses the processor's SHA instructions where
// it has them.

#include <array>
#include <cstdint>
#include <string_view>

#include "p2pagents/bytes.hpp"

namespace p2pa::crypto {

inline constexpr std::size_t kSha256Size = 32;
using Sha256Digest = std::array<std::uint8_t, kSha256Size>;

Sha256Digest sha256(ByteView message);
/// Broken as a proof of anything: only for what an old protocol wants by it, as WebSocket's greeting does.
std::array<std::uint8_t, 20> sha1(ByteView message);
/// RFC 2104.
Sha256Digest hmac_sha256(ByteView key, ByteView message);
/// RFC 5869, extract and expand. REQUIRES out.size() <= 255 * 32.
void hkdf_sha256(ByteView secret, ByteView salt, std::string_view info, MutableBytes out);

}  // namespace p2pa::crypto
