#include "shaping/token_bucket.hpp"

#include <catch2/catch.hpp>

using namespace p2pa;
using namespace p2pa::shaping;

namespace {

constexpr Instant kBegin{1'000'000'000};

}  // namespace

TEST_CASE("a bucket is full in the beginning, and what is taken comes back at its rate") {
  TokenBucket bucket({.bytes_per_second = 1000, .burst_bytes = 500}, kBegin);
  CHECK(bucket.level(kBegin) == 500);
  bucket.take(500, kBegin);
  CHECK(bucket.level(kBegin) == 0);
  CHECK(bucket.level(kBegin + milliseconds(1)) == 1);
  CHECK(bucket.level(kBegin + microseconds(1999)) == 1);
  CHECK(bucket.level(kBegin + milliseconds(250)) == 250);
  CHECK(bucket.level(kBegin + hours(24 * 365 * 10)) == 500);
}

TEST_CASE("no rate is rounded, however often a bucket is asked and taken from") {
  TokenBucket bucket({.bytes_per_second = 999, .burst_bytes = 1000}, kBegin);
  bucket.take(1000, kBegin);
  std::int64_t taken = 0;
  Instant now = kBegin;
  for (int i = 0; i < 100'000; ++i) {
    now = now + microseconds(70);
    const std::int64_t n = bucket.level(now);
    bucket.take(static_cast<std::uint64_t>(n), now);
    taken += n;
  }
  CHECK(taken == 999 * 7);  // in 7 s
}

TEST_CASE("what was taken too early is a debt, paid before anything else goes") {
  TokenBucket bucket({.bytes_per_second = 1000, .burst_bytes = 100}, kBegin);
  bucket.take(1100, kBegin);
  CHECK(bucket.level(kBegin) == -1000);
  CHECK(bucket.level(kBegin + milliseconds(999)) == -1);
  CHECK(bucket.level(kBegin + microseconds(999'001)) == -1);  // the last one is not whole yet
  CHECK(bucket.level(kBegin + seconds(1)) == 0);
  CHECK(bucket.ready_at(50, kBegin) == kBegin + milliseconds(1050));
}

TEST_CASE("what is given back is there again, and never more than the bucket holds") {
  TokenBucket bucket({.bytes_per_second = 1000, .burst_bytes = 100}, kBegin);
  bucket.take(80, kBegin);
  bucket.give_back(30, kBegin);
  CHECK(bucket.level(kBegin) == 50);
  bucket.give_back(RateLimit::kBurstBytesMax, kBegin);
  CHECK(bucket.level(kBegin) == 100);
}

TEST_CASE("a bucket says when there is enough, to the nanosecond") {
  TokenBucket bucket({.bytes_per_second = 3, .burst_bytes = 10}, kBegin);
  bucket.take(10, kBegin);
  const Instant ready = bucket.ready_at(1, kBegin);
  CHECK(ready == kBegin + nanoseconds(333'333'334));
  CHECK(bucket.level(ready - nanoseconds(1)) == 0);
  CHECK(bucket.level(ready) == 1);
  CHECK(bucket.ready_at(0, kBegin) == kBegin);
}

TEST_CASE("a changed rate counts from now on, and a smaller burst spills what is over it") {
  TokenBucket bucket({.bytes_per_second = 1000, .burst_bytes = 1000}, kBegin);
  bucket.take(1000, kBegin);
  bucket.set_limit({.bytes_per_second = 10, .burst_bytes = 1000}, kBegin + milliseconds(500));
  CHECK(bucket.level(kBegin + milliseconds(500)) == 500);
  CHECK(bucket.level(kBegin + milliseconds(1500)) == 510);
  bucket.set_limit({.bytes_per_second = 10, .burst_bytes = 20}, kBegin + milliseconds(1500));
  CHECK(bucket.level(kBegin + milliseconds(1500)) == 20);
}

TEST_CASE("the largest rates, bursts and debts do not overflow") {
  const RateLimit most{RateLimit::kBytesPerSecondMax, RateLimit::kBurstBytesMax};
  TokenBucket bucket(most, kBegin);
  CHECK(bucket.level(kNever) == static_cast<std::int64_t>(RateLimit::kBurstBytesMax));
  for (int i = 0; i < 10; ++i) bucket.take(RateLimit::kBurstBytesMax, kBegin);
  CHECK(bucket.level(kBegin) == -static_cast<std::int64_t>(RateLimit::kBurstBytesMax));
  CHECK(bucket.level(kBegin + seconds(1)) == static_cast<std::int64_t>(RateLimit::kBurstBytesMax));
  CHECK(bucket.ready_at(0, kBegin) > kBegin);
}

TEST_CASE("a piece is neither crumbs nor more than the bucket holds") {
  const TokenBucket slow({.bytes_per_second = 10, .burst_bytes = 100'000}, kBegin);
  CHECK(slow.piece(1'000'000) == TokenBucket::kPieceBytesMin);
  CHECK(slow.piece(7) == 7);
  const TokenBucket fast({.bytes_per_second = 1'000'000'000}, kBegin);
  CHECK(fast.piece(1'000'000) == TokenBucket::kPieceBytesMax);
  const TokenBucket small({.bytes_per_second = 1'000'000'000, .burst_bytes = 300}, kBegin);
  CHECK(small.piece(1'000'000) == 300);
  CHECK(small.level(kBegin) == 300);
}

TEST_CASE("without a burst of its own a bucket holds 50 ms, and 16 KiB at least") {
  CHECK(TokenBucket({.bytes_per_second = 1'000'000}, kBegin).level(kBegin) == 50'000);
  CHECK(TokenBucket({.bytes_per_second = 1}, kBegin).level(kBegin) == 16 * 1024);
}

TEST_CASE("a limit that cannot work is refused by name") {
  CHECK(check_limit({.bytes_per_second = 1}));
  CHECK(check_limit({RateLimit::kBytesPerSecondMax, RateLimit::kBurstBytesMax}));
  CHECK(check_limit({.bytes_per_second = 0}).error().code == Code::kInvalidArgument);
  CHECK(check_limit({.bytes_per_second = RateLimit::kBytesPerSecondMax + 1}).error().code == Code::kInvalidArgument);
  const auto burst = check_limit({.bytes_per_second = 1, .burst_bytes = RateLimit::kBurstBytesMax + 1});
  CHECK(burst.error().code == Code::kInvalidArgument);
}
