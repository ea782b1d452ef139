#include <array>
#include <cstdio>
#include <string>

#include "transport/tls/certificate.hpp"
#include "transport/tls/der.hpp"
#include "transport/tls/oids.hpp"

namespace p2pa::tls {
namespace {

using der::Tag;

constexpr std::int64_t kBackdated = 3600;
constexpr std::int64_t kLifetime = std::int64_t{100} * 365 * 86'400;

/// RFC 5280 §4.1.2.5: UTCTime until 2049, GeneralizedTime from then on.
Bytes time_element(std::int64_t unix_time) {
  const std::int64_t seconds = ((unix_time % 86'400) + 86'400) % 86'400;
  // The inverse of the civil calendar: counted in eras of 400 years that begin in March.
  const std::int64_t shifted = (unix_time - seconds) / 86'400 + 719'468;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const std::int64_t day = shifted - era * 146'097;
  const std::int64_t year = (day - day / 1460 + day / 36'524 - day / 146'096) / 365;
  const std::int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
  const std::int64_t month_index = (5 * day_of_year + 2) / 153;
  const std::int64_t month = month_index + (month_index < 10 ? 3 : -9);
  const std::int64_t full_year = year + era * 400 + (month <= 2 ? 1 : 0);

  std::array<char, 64> text;
  const bool utc = full_year >= 1950 && full_year < 2050;
  const int size = std::snprintf(
      text.data(), text.size(), utc ? "%02d%02d%02d%02d%02d%02dZ" : "%04d%02d%02d%02d%02d%02dZ",
      static_cast<int>(utc ? full_year % 100 : full_year), static_cast<int>(month),
      static_cast<int>(day_of_year - (153 * month_index + 2) / 5 + 1), static_cast<int>(seconds / 3600),
      static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
  return der::write(utc ? Tag::kUtcTime : Tag::kGeneralizedTime,
                    {as_bytes({text.data(), static_cast<std::size_t>(size)})});
}

Bytes bit_string(ByteView bits) {
  constexpr std::uint8_t kNoUnusedBits[] = {0};
  return der::write(Tag::kBitString, {kNoUnusedBits, bits});
}

/// Nobody looks at the names, but RFC 5280 wants them not to be empty: CN=libp2p.
Bytes name() {
  constexpr std::uint8_t kCommonName[] = {0x55, 0x04, 0x03};
  const Bytes attribute = der::write(Tag::kSequence, {der::write(Tag::kOid, {kCommonName}),
                                                      der::write(Tag::kUtf8String, {as_bytes("libp2p")})});
  return der::write(Tag::kSequence, {der::write(Tag::kSet, {attribute})});
}

/// spec: tls/tls.md §libp2p-public-key-extension
Bytes libp2p_extension(const KeyPair& identity, ByteView spki) {
  Bytes message(kSignaturePrefix.begin(), kSignaturePrefix.end());
  message.insert(message.end(), spki.begin(), spki.end());
  const Bytes signed_key =
      der::write(Tag::kSequence, {der::write(Tag::kOctetString, {identity.public_key()}),
                                  der::write(Tag::kOctetString, {identity.sign(message)})});
  return der::write(Tag::kSequence, {der::write(Tag::kOid, {kLibp2pExtension}),
                                     der::write(Tag::kOctetString, {signed_key})});
}

}  // namespace

Certificate make_certificate(const KeyPair& identity, Rng& rng, std::int64_t unix_time) {
  std::array<std::uint8_t, KeyPair::kSeedSize> seed;
  std::array<std::uint8_t, 8> serial;
  rng.fill(seed);
  rng.fill(serial);
  serial[0] = static_cast<std::uint8_t>((serial[0] & 0x3f) | 0x40);  // positive, and always eight bytes
  const KeyPair key = KeyPair::from_seed(seed);

  const Bytes algorithm = der::write(Tag::kSequence, {der::write(Tag::kOid, {kEd25519})});
  const ByteView raw_key = key.public_key().last(32);  // the protobuf ends in the key itself
  const Bytes spki = der::write(Tag::kSequence, {algorithm, bit_string(raw_key)});

  constexpr std::uint8_t kVersion3[] = {2}, kVersion1Of8410[] = {0};
  const Bytes validity = der::write(
      Tag::kSequence, {time_element(unix_time - kBackdated), time_element(unix_time + kLifetime)});
  const Bytes extensions = der::write(
      Tag::kContext3, {der::write(Tag::kSequence, {libp2p_extension(identity, spki)})});
  const Bytes tbs = der::write(
      Tag::kSequence,
      {der::write(Tag::kContext0, {der::write(Tag::kInteger, {kVersion3})}),
       der::write(Tag::kInteger, {serial}), algorithm, name(), validity, name(), spki, extensions});

  Certificate out;
  out.certificate = der::write(Tag::kSequence, {tbs, algorithm, bit_string(key.sign(tbs))});
  out.private_key = der::write(Tag::kSequence,  // RFC 8410 §7
                               {der::write(Tag::kInteger, {kVersion1Of8410}), algorithm,
                                der::write(Tag::kOctetString, {der::write(Tag::kOctetString, {seed})})});
  seed.fill(0);
  return out;
}

}  // namespace p2pa::tls
