#include "node/refusals.hpp"

#include <catch2/catch.hpp>

using namespace p2pa;

namespace {

constexpr Instant kStart{1'000};
constexpr Error kRule{Code::kGated, 0, "a rule"}, kBound{Code::kLimitIp, 7, "a bound"};

Multiaddr at(int port) { return Multiaddr::parse("/ip4/192.0.2.1/tcp/" + std::to_string(port)).value(); }

}  // namespace

TEST_CASE("a refusal is told at once, and those that follow as one when the pause is over") {
  Refusals refusals;
  CHECK(refusals.next_deadline() == kNever);
  CHECK_FALSE(refusals.pop(kStart));
  refusals.add(kStart, {}, at(1), kBound);
  CHECK(refusals.next_deadline() <= kStart);
  const auto first = refusals.pop(kStart);
  REQUIRE(first);
  CHECK(first->count == 1);
  CHECK(first->address == at(1));
  CHECK(first->why == kBound);
  CHECK(refusals.next_deadline() == kNever);
  for (int port = 2; port <= 60'001; ++port) refusals.add(kStart + milliseconds(1), {}, at(port), kBound);
  CHECK_FALSE(refusals.pop(kStart + milliseconds(1)));
  REQUIRE(refusals.next_deadline() == kStart + kRefusalPause);
  const auto rest = refusals.pop(kStart + kRefusalPause);
  REQUIRE(rest);
  CHECK(rest->count == 60'000);
  CHECK(rest->address == at(60'001));
  CHECK_FALSE(refusals.pop(kStart + kRefusalPause));
  CHECK(refusals.next_deadline() == kNever);
}

TEST_CASE("reasons do not wait for each other") {
  Refusals refusals;
  refusals.add(kStart, {}, at(1), kBound);
  REQUIRE(refusals.pop(kStart));
  refusals.add(kStart, {}, at(2), kBound);
  refusals.add(kStart, {}, at(3), kRule);
  const auto rule = refusals.pop(kStart);
  REQUIRE(rule);
  CHECK(rule->why == kRule);
  CHECK_FALSE(refusals.pop(kStart));
  CHECK(refusals.next_deadline() == kStart + kRefusalPause);
  // After a while of peace the next is told at once again.
  const Instant later = kStart + seconds(5);
  REQUIRE(refusals.pop(later));
  CHECK_FALSE(refusals.pop(later));
}
