#include "fec/gf256.hpp"

#include <isa-l/erasure_code.h>

#include <algorithm>
#include <array>

#include "base/assert.hpp"

namespace p2pa::fec::gf256 {
namespace {

/// What ISA-L's vector code looks products with one factor up in.
constexpr std::size_t kTableSize = 32;

}  // namespace

std::uint8_t multiply(std::uint8_t a, std::uint8_t b) { return gf_mul(a, b); }

std::uint8_t inverse(std::uint8_t a) {
  P2PA_ASSERT(a != 0);
  return gf_inv(a);
}

void add_multiple(MutableBytes to, std::uint8_t factor, ByteView from) {
  P2PA_ASSERT(to.size() >= from.size());
  if (factor == 0 || from.empty()) return;
  std::array<std::uint8_t, kTableSize> table;
  ec_init_tables(1, 1, &factor, table.data());
  std::uint8_t* rows[] = {to.data()};
  // Unlike gf_vect_mad it takes any length, however short. It only reads `from`.
  ec_encode_data_update(static_cast<int>(from.size()), 1, 1, 0, table.data(),
                        const_cast<std::uint8_t*>(from.data()), rows);
}

void scale(MutableBytes bytes, std::uint8_t factor) {
  // c * x = x + (c + 1) * x, in pieces since source and destination must not overlap.
  if (factor == 1) return;
  std::array<std::uint8_t, 512> piece;
  for (std::size_t at = 0; at < bytes.size(); at += piece.size()) {
    const MutableBytes here = bytes.subspan(at, std::min(piece.size(), bytes.size() - at));
    std::ranges::copy(here, piece.begin());
    add_multiple(here, factor ^ 1, ByteView(piece).first(here.size()));
  }
}

}  // namespace p2pa::fec::gf256
