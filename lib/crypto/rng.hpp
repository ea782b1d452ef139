#pragma once
// Entropy is an argument, never a call: the real driver seeds from the system, the world from its seed.

#include <cstdint>

#include "p2pagents/bytes.hpp"

namespace p2pa {

/// A cryptographic generator (ChaCha20 keystream of a 32-byte seed). Same seed, same bytes, on
/// every machine. Neither copied nor moved: one owner.
class Rng {
 public:
  explicit Rng(ByteView seed32);
  ~Rng();
  Rng(const Rng&) = delete;
  Rng& operator=(const Rng&) = delete;

  void fill(MutableBytes out);
  std::uint64_t next_u64();
  /// Uniform in [0, bound); REQUIRES bound > 0. Unbiased.
  std::uint64_t below(std::uint64_t bound);
  /// Uniform in [0, 1).
  double unit();

 private:
  std::uint8_t key_[32];
  std::uint64_t counter_ = 0;
  std::uint8_t block_[512];
  std::size_t used_ = sizeof block_;
};

}  // namespace p2pa
