#pragma once
// A hash that says which it is (multiformats/multihash): varint code, varint length, digest.

#include <cstdint>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa {

struct Multihash {
  static constexpr std::uint64_t kIdentity = 0x00;  ///< the "digest" is the content itself
  static constexpr std::uint64_t kSha256 = 0x12;

  std::uint64_t code = kIdentity;
  ByteView digest;  ///< points into what was parsed

  /// The whole of `bytes` as one multihash. kMalformed: too short, too long, or varints not minimal;
  /// for sha2-256 also a digest that is not of 32 bytes.
  static Result<Multihash> parse(ByteView bytes);
  void append_to(Bytes& out) const;
};

}  // namespace p2pa
