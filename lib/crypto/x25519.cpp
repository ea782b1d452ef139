#include "crypto/x25519.hpp"

#include <sodium.h>

#include <algorithm>

#include "base/assert.hpp"

namespace p2pa::crypto {

static_assert(kX25519Size == crypto_scalarmult_curve25519_SCALARBYTES);
static_assert(kX25519Size == crypto_scalarmult_curve25519_BYTES);

X25519KeyPair::X25519KeyPair(Rng& rng) {
  rng.fill(secret_.span());
  crypto_scalarmult_curve25519_base(public_.data(), secret_.view().data());
}

X25519KeyPair::X25519KeyPair(ByteView secret) {
  P2PA_ASSERT(secret.size() == kX25519Size);
  std::ranges::copy(secret, secret_.span().begin());
  crypto_scalarmult_curve25519_base(public_.data(), secret_.view().data());
}

Result<void> X25519KeyPair::agree(const X25519Public& theirs, X25519Secret& shared) const {
  if (crypto_scalarmult_curve25519(shared.span().data(), secret_.view().data(), theirs.data()) != 0) {
    return fail(Code::kBadKey, "key: a point of small order");
  }
  return {};
}

}  // namespace p2pa::crypto
