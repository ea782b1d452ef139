#pragma once
// PublicKey and PrivateKey have one shape: {1 Type enum, 2 Data bytes} (spec: peer-ids §keys).

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa {

struct KeyFields {
  std::uint64_t type = 0;
  ByteView data;  ///< points into what was decoded
};

/// kBadKey: not protobuf, or a field missing. Takes fields in any order and ignores others.
Result<KeyFields> decode_key_fields(ByteView protobuf);
/// Deterministic: both fields, in order, minimal.
Bytes encode_key_fields(const KeyFields& fields);

}  // namespace p2pa
