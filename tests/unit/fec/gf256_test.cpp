#include "fec/gf256.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "crypto/rng.hpp"

using namespace p2pa;
using namespace p2pa::fec;

namespace {

/// The definition: polynomials over GF(2) modulo 0x11d.
std::uint8_t slow_product(unsigned a, unsigned b) {
  unsigned product = 0;
  for (unsigned bit = 0; bit < 8; ++bit) {
    if ((b >> bit & 1) != 0) product ^= a << bit;
  }
  for (unsigned bit = 15; bit >= 8; --bit) {
    if ((product >> bit & 1) != 0) product ^= 0x11du << (bit - 8);
  }
  return static_cast<std::uint8_t>(product);
}

}  // namespace

TEST_CASE("products are those of polynomials modulo 0x11d") {
  for (unsigned a = 0; a < 256; ++a) {
    for (unsigned b = 0; b < 256; ++b) {
      REQUIRE(gf256::multiply(static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b)) == slow_product(a, b));
    }
  }
}

TEST_CASE("every element but zero has its inverse") {
  for (unsigned a = 1; a < 256; ++a) {
    const auto element = static_cast<std::uint8_t>(a);
    REQUIRE(slow_product(element, gf256::inverse(element)) == 1);
  }
}

TEST_CASE("a multiple is added at every length and nowhere behind it") {
  const std::uint8_t seed[32] = {1};
  Rng rng(seed);
  for (std::size_t size = 0; size <= 300; ++size) {
    Bytes from(size), to(size + 8), expected;
    rng.fill(from);
    rng.fill(to);
    expected = to;
    const auto by = static_cast<std::uint8_t>(rng.next_u64());
    for (std::size_t i = 0; i < size; ++i) expected[i] ^= slow_product(by, from[i]);
    gf256::add_multiple(to, by, from);
    REQUIRE(to == expected);
  }
}

TEST_CASE("scaling multiplies every byte, also of more than one piece") {
  const std::uint8_t seed[32] = {2};
  Rng rng(seed);
  for (const std::size_t size : {0, 1, 31, 512, 513, 1402}) {
    for (const std::uint8_t by : {0, 1, 2, 255}) {
      Bytes bytes(size), expected(size);
      rng.fill(bytes);
      for (std::size_t i = 0; i < size; ++i) expected[i] = slow_product(by, bytes[i]);
      gf256::scale(bytes, by);
      REQUIRE(bytes == expected);
    }
  }
}
