#pragma once
// Bytes as text (multiformats/multibase): the alphabets that peer ids, CIDs and certificate hashes use.

#include <cstdint>
#include <string>
#include <string_view>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa {

/// The value is the multibase prefix.
enum class Base : char {
  kBase16 = 'f',
  kBase16Upper = 'F',
  kBase32 = 'b',       ///< RFC 4648, lower case, no padding
  kBase32Upper = 'B',
  kBase36 = 'k',
  kBase36Upper = 'K',
  kBase58Btc = 'z',
  kBase64 = 'm',       ///< RFC 4648, no padding
  kBase64Padded = 'M', ///< the same with its padding, which must be there
  kBase64Url = 'u',
};

/// Longest text that decode_base() takes; base36 and base58 cost the square of it.
inline constexpr std::size_t kBaseTextMax = 2048;

std::string encode_base(Base base, ByteView bytes);

/// kMalformed: a character outside the alphabet (the 16s, 32s and 36s take either case), bits left over
/// that are not zero, or text over kBaseTextMax.
Result<Bytes> decode_base(Base base, std::string_view text);

/// With the prefix in front.
std::string encode_multibase(Base base, ByteView bytes);
/// kUnsupported: a prefix that is none of Base. Otherwise as decode_base().
Result<Bytes> decode_multibase(std::string_view text);

}  // namespace p2pa
