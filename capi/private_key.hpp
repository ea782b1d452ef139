#pragma once
#include "p2pagents/key_pair.hpp"

namespace p2pa::capi {

/// A PrivateKey protobuf, or a seed of exactly 32 bytes. kBadKey.
inline Result<KeyPair> read_private_key(ByteView key) {
  if (key.size() == KeyPair::kSeedSize) return KeyPair::from_seed(key);
  return KeyPair::from_protobuf(key);
}

/// Overwrites a copy of a secret in a way that is not optimised out.
inline void wipe(Bytes& secret) noexcept {
  volatile std::uint8_t* byte = secret.data();
  for (std::size_t i = 0; i < secret.size(); ++i) byte[i] = 0;
}

}  // namespace p2pa::capi
