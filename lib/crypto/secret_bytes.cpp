#include "crypto/secret_bytes.hpp"

#include <sodium.h>

namespace p2pa::crypto {

void wipe(MutableBytes secret) noexcept { sodium_memzero(secret.data(), secret.size()); }

bool equal_constant_time(ByteView a, ByteView b) noexcept {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace p2pa::crypto
