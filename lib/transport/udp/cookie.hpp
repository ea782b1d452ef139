#pragma once
// Whoever shows a cookie of ours receives at the address that it claims.

#include <array>

#include "address/ip_endpoint.hpp"
#include "crypto/rng.hpp"
#include "crypto/secret_bytes.hpp"
#include "p2pagents/time.hpp"
#include "transport/udp/packet_codec.hpp"

namespace p2pa::udp {

/// Makes and checks them without keeping anything (docs/wire/udp.md §handshake).
class CookieJar final {
 public:
  static constexpr Duration kLifetime = seconds(10);

  explicit CookieJar(Rng& rng) { rng.fill(key_.span()); }

  /// `message`: the first of Noise.
  std::array<std::uint8_t, kCookieSize> bake(Instant now, const IpEndpoint& from, Cid source,
                                             ByteView message) const;
  /// Ours, fresh, and of this address, id and message.
  bool accepts(Instant now, const IpEndpoint& from, Cid source, ByteView message, ByteView cookie) const;

 private:
  std::array<std::uint8_t, kCookieSize> bake_at(std::uint64_t at, const IpEndpoint& from, Cid source,
                                                ByteView message) const;

  crypto::SecretBytes<32> key_;
};

}  // namespace p2pa::udp
