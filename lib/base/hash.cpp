#include "base/hash.hpp"

namespace p2pa {

namespace {

constexpr std::uint64_t kOffset = 0xcbf29ce484222325;
constexpr std::uint64_t kPrime = 0x100000001b3;

std::uint64_t little_endian(const std::uint8_t* p, std::size_t n) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < n; ++i) word |= std::uint64_t{p[i]} << (8 * i);
  return word;
}

std::uint64_t step(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * kPrime;
  return hash ^ hash >> 47;  // the product alone never carries high bits down
}

}  // namespace

std::uint64_t stable_hash(ByteView bytes, std::uint64_t seed) noexcept {
  std::uint64_t hash = step(kOffset ^ seed, bytes.size());
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    hash = step(hash, little_endian(bytes.data(), 8));
  }
  if (!bytes.empty()) hash = step(hash, little_endian(bytes.data(), bytes.size()));
  hash = (hash ^ hash >> 32) * 0xff51afd7ed558ccd;
  return hash ^ hash >> 33;
}

}  // namespace p2pa
