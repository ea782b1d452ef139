#include "shaping/class_shares.hpp"

#include <catch2/catch.hpp>

using namespace p2pa;
using namespace p2pa::shaping;

namespace {

/// How many bytes each class gets of `total` in pieces of `piece`, when those of `busy` always have more.
std::array<std::uint64_t, kClasses> share(const ClassSet& busy, std::uint64_t piece, std::uint64_t total) {
  ClassShares shares;
  std::array<std::uint64_t, kClasses> out{};
  for (std::uint64_t sent = 0; sent < total; sent += piece) {
    const Priority next = shares.next(busy);
    shares.served(next, piece, busy);
    out[index_of(next)] += piece;
  }
  return out;
}

}  // namespace

TEST_CASE("the most urgent class that has something is next") {
  ClassShares shares;
  CHECK(shares.next({true, true, true}) == Priority::kControl);
  CHECK(shares.next({false, true, true}) == Priority::kInteractive);
  CHECK(shares.next({false, false, true}) == Priority::kBulk);
}

TEST_CASE("a class that waits gets an eighth of what more urgent ones have no end of") {
  for (const std::uint64_t piece : {64u, 1200u, 16'384u}) {
    const auto two = share({false, true, true}, piece, 8 << 20);
    CHECK(two[2] >= (8u << 20) / 9);
    CHECK(two[2] <= (8u << 20) / 7);
    const auto three = share({true, true, true}, piece, 8 << 20);
    CHECK(three[1] >= (8u << 20) / 10);
    CHECK(three[2] >= (8u << 20) / 10);
    CHECK(three[0] >= (8u << 20) / 2);
  }
}

TEST_CASE("who had nothing to send is owed nothing") {
  ClassShares shares;
  for (int i = 0; i < 1000; ++i) shares.served(Priority::kControl, 16 * 1024, {true, false, false});
  CHECK(shares.next({true, true, true}) == Priority::kControl);
  CHECK_FALSE(shares.owed(Priority::kBulk));
}

TEST_CASE("a less urgent class that is served owes the more urgent ones nothing") {
  ClassShares shares;
  for (int i = 0; i < 1000; ++i) shares.served(Priority::kBulk, 16 * 1024, {false, true, true});
  CHECK_FALSE(shares.owed(Priority::kInteractive));
  CHECK_FALSE(shares.owed(Priority::kControl));
}
