#include <catch2/catch.hpp>

#include <algorithm>
#include <array>

#include "crypto/rng.hpp"
#include "support/hex.hpp"

using namespace p2pa;
using test::to_hex;

TEST_CASE("the generator is the ChaCha20 keystream of its seed") {
  Rng rng(Bytes(32));
  Bytes out(64);
  rng.fill(out);
  CHECK(to_hex(out) ==
        "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
        "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586");
}

TEST_CASE("the same seed gives the same bytes, however they are asked for") {
  const Bytes seed(32, 9);
  Rng whole(seed), pieces(seed);
  Bytes all(5000);
  whole.fill(all);
  Bytes joined;
  Rng sizes(Bytes(32, 10));
  while (joined.size() < all.size()) {
    Bytes piece(std::min<std::size_t>(sizes.below(700), all.size() - joined.size()));
    pieces.fill(piece);
    joined.insert(joined.end(), piece.begin(), piece.end());
  }
  CHECK(joined == all);
}

TEST_CASE("different seeds give different bytes") {
  Rng a(Bytes(32, 1)), b(Bytes(32, 2));
  CHECK(a.next_u64() != b.next_u64());
}

TEST_CASE("numbers below a bound stay below it and reach all of it evenly") {
  Rng rng(Bytes(32, 11));
  std::array<int, 10> counts{};
  for (int i = 0; i < 100'000; ++i) ++counts[rng.below(10)];
  for (const int count : counts) {
    CHECK(count > 9'600);
    CHECK(count < 10'400);
  }
  CHECK(rng.below(1) == 0);
  const std::uint64_t huge = (std::uint64_t{1} << 63) + 1;
  for (int i = 0; i < 100; ++i) CHECK(rng.below(huge) < huge);
}

TEST_CASE("unit numbers lie between 0 and 1 and average to a half") {
  Rng rng(Bytes(32, 12));
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double value = rng.unit();
    REQUIRE(value >= 0.0);
    REQUIRE(value < 1.0);
    sum += value;
  }
  CHECK(std::abs(sum / 100'000 - 0.5) < 0.01);
}
