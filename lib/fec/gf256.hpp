#pragma once
// Arithmetic of GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1 (0x11d), by ISA-L, with the widest vectors
// that the processor has. Addition is exclusive or.

#include <cstdint>

#include "p2pagents/bytes.hpp"

namespace p2pa::fec::gf256 {

std::uint8_t multiply(std::uint8_t a, std::uint8_t b);
/// REQUIRES a != 0.
std::uint8_t inverse(std::uint8_t a);
/// to += factor * from, byte by byte. REQUIRES to.size() >= from.size(), and that they do not overlap.
void add_multiple(MutableBytes to, std::uint8_t factor, ByteView from);
/// bytes *= factor.
void scale(MutableBytes bytes, std::uint8_t factor);

}  // namespace p2pa::fec::gf256
