#include "transport/noise/cipher_state.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace p2pa::noise {

namespace {

/// §12.3: 32 bits of zeros, and the number with its lowest byte first.
crypto::ChachaNonce nonce_bytes(std::uint64_t nonce) {
  crypto::ChachaNonce bytes{};
  for (std::size_t i = 0; i < sizeof nonce; ++i) bytes[4 + i] = static_cast<std::uint8_t>(nonce >> 8 * i);
  return bytes;
}

}  // namespace

void CipherState::set_key(ByteView key, std::uint64_t nonce) {
  P2PA_ASSERT(key.size() == crypto::ChachaKey::size());
  std::ranges::copy(key, key_.span().begin());
  nonce_ = nonce;
  has_key_ = true;
}

void CipherState::seal(ByteView associated, ByteView plain, MutableBytes out) {
  P2PA_ASSERT(has_key_ && nonce_ <= kNonceMax);
  crypto::chacha20_poly1305_seal(key_, nonce_bytes(nonce_), associated, plain, out);
  ++nonce_;
}

Result<void> CipherState::open(ByteView associated, ByteView sealed, MutableBytes out) {
  P2PA_ASSERT(has_key_);
  if (nonce_ > kNonceMax) return fail(Code::kProtocolViolation, "noise: no more messages under this key");
  if (!crypto::chacha20_poly1305_open(key_, nonce_bytes(nonce_), associated, sealed, out)) {
    return fail(Code::kProtocolViolation, "noise: a message that is not authentic");
  }
  ++nonce_;
  return {};
}

}  // namespace p2pa::noise
