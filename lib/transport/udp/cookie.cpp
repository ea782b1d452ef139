#include "transport/udp/cookie.hpp"

#include <algorithm>

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "crypto/hash.hpp"

namespace p2pa::udp {

std::array<std::uint8_t, kCookieSize> CookieJar::bake(Instant now, const IpEndpoint& from, Cid source,
                                                      ByteView message) const {
  return bake_at(static_cast<std::uint64_t>(now.ns), from, source, message);
}

bool CookieJar::accepts(Instant now, const IpEndpoint& from, Cid source, ByteView message,
                        ByteView cookie) const {
  if (cookie.size() != kCookieSize) return false;
  const std::uint64_t at = *ByteReader(cookie).big_endian<std::uint64_t>();
  const auto today = static_cast<std::uint64_t>(now.ns);
  if (at > today || today - at > static_cast<std::uint64_t>(kLifetime.ns)) return false;
  return crypto::equal_constant_time(cookie, bake_at(at, from, source, message));
}

std::array<std::uint8_t, kCookieSize> CookieJar::bake_at(std::uint64_t at, const IpEndpoint& from, Cid source,
                                                         ByteView message) const {
  Bytes bound;
  ByteWriter writer(bound);
  writer.big_endian(at);
  writer.u8(from.ip.v6 ? 1 : 0);
  writer.append(from.ip.bytes);
  writer.big_endian(from.port);
  writer.big_endian(from.scope);
  writer.big_endian(source);
  writer.append(message);
  const crypto::Sha256Digest proof = crypto::hmac_sha256(key_.view(), bound);
  std::array<std::uint8_t, kCookieSize> out{};
  std::copy_n(bound.begin(), sizeof at, out.begin());
  std::copy_n(proof.begin(), kCookieSize - sizeof at, out.begin() + sizeof at);
  return out;
}

}  // namespace p2pa::udp
