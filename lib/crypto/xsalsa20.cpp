#include "crypto/xsalsa20.hpp"

#include <sodium.h>

#include <algorithm>

#include "base/assert.hpp"

namespace p2pa::crypto {

static_assert(kXsalsaKeySize == crypto_stream_xsalsa20_KEYBYTES);
static_assert(kXsalsaNonceSize == crypto_stream_xsalsa20_NONCEBYTES);

Xsalsa20::Xsalsa20(ByteView key, ByteView nonce) {
  P2PA_ASSERT(key.size() == kXsalsaKeySize && nonce.size() == kXsalsaNonceSize);
  std::ranges::copy(key, key_.span().begin());
  std::ranges::copy(nonce, nonce_.begin());
}

void Xsalsa20::apply(MutableBytes bytes) {
  const auto finish_block = [&] {
    const std::size_t n = std::min(bytes.size(), kBlock - used_);
    for (std::size_t i = 0; i < n; ++i) bytes[i] ^= block_.view()[used_ + i];
    used_ += n;
    bytes = bytes.subspan(n);
  };
  finish_block();
  const std::size_t whole = bytes.size() / kBlock * kBlock;
  if (whole > 0) {
    crypto_stream_xsalsa20_xor_ic(bytes.data(), bytes.data(), whole, nonce_.data(), next_block_, key_.view().data());
    next_block_ += whole / kBlock;
    bytes = bytes.subspan(whole);
  }
  if (bytes.empty()) return;
  std::ranges::fill(block_.span(), std::uint8_t{0});
  crypto_stream_xsalsa20_xor_ic(block_.span().data(), block_.view().data(), kBlock, nonce_.data(), next_block_++,
                                key_.view().data());
  used_ = 0;
  finish_block();
}

}  // namespace p2pa::crypto
