#include "crypto/rng.hpp"

#include <sodium.h>

#include <algorithm>
#include <cstring>

#include "base/assert.hpp"

namespace p2pa {

namespace {
constexpr std::uint64_t kChachaBlock = 64;
}

Rng::Rng(ByteView seed32) {
  static_assert(sizeof key_ == crypto_stream_chacha20_KEYBYTES);
  P2PA_ASSERT(seed32.size() == sizeof key_);
  P2PA_ASSERT(sodium_init() >= 0);
  std::memcpy(key_, seed32.data(), sizeof key_);
}

Rng::~Rng() {
  sodium_memzero(key_, sizeof key_);
  sodium_memzero(block_, sizeof block_);
}

void Rng::fill(MutableBytes out) {
  while (!out.empty()) {
    if (used_ == sizeof block_) {
      static constexpr std::uint8_t kNonce[crypto_stream_chacha20_NONCEBYTES] = {};
      std::memset(block_, 0, sizeof block_);
      crypto_stream_chacha20_xor_ic(block_, block_, sizeof block_, kNonce, counter_, key_);
      counter_ += sizeof block_ / kChachaBlock;
      used_ = 0;
    }
    const std::size_t n = std::min(out.size(), sizeof block_ - used_);
    std::memcpy(out.data(), block_ + used_, n);
    sodium_memzero(block_ + used_, n);  // what was given out cannot be read back later
    used_ += n;
    out = out.subspan(n);
  }
}

std::uint64_t Rng::next_u64() {
  std::uint8_t raw[8];
  fill(raw);
  std::uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | raw[i];
  return value;
}

std::uint64_t Rng::below(std::uint64_t bound) {
  P2PA_ASSERT(bound > 0);
  // Values under 2^64 mod bound would make the small residues likelier: draw again.
  const std::uint64_t biased = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t value = next_u64();
    if (value >= biased) return value % bound;
  }
}

double Rng::unit() { return static_cast<double>(next_u64() >> 11) * 0x1.0p-53; }

}  // namespace p2pa
