#pragma once
// The code: a systematic one over GF(256) with a sliding window (docs/wire/fec.md). Bodies travel as
// they are, numbered; a repair is a linear combination of the last ones. Its factors are those of a
// Cauchy matrix, so any n repairs whose windows hold n lost bodies give those back, always when the
// windows are the same ones and nearly always (255 of 256) when they are not.

#include <cstddef>
#include <cstdint>

#include "fec/gf256.hpp"

namespace p2pa::fec {

/// The most bodies that a repair combines. Half of the field: see factor().
inline constexpr std::size_t kWindowMax = 128;
inline constexpr std::size_t kBodyBytesMax = 1400;
/// What is combined: two bytes of length, the body, zeros.
inline constexpr std::size_t kLengthBytes = 2;
inline constexpr std::size_t kSymbolBytesMax = kLengthBytes + kBodyBytesMax;

/// What the body of this number is multiplied with in the repair of this number: 1 / (x + y) with x from
/// one half of the field and y from the other. Never zero.
inline std::uint8_t factor(std::uint64_t body, std::uint8_t repair) {
  return gf256::inverse(static_cast<std::uint8_t>((body % kWindowMax) ^ (kWindowMax + repair % kWindowMax)));
}

}  // namespace p2pa::fec
