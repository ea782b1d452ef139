#include "dns/cache.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace p2pa;
using namespace p2pa::dns;

namespace {

constexpr Instant kStart{1'000'000'000};

Question question(int n) { return {RecordType::kA, "host-" + std::to_string(n)}; }
Records found(std::size_t addresses = 1) { return {{}, std::vector<IpAddress>(addresses), {}}; }
Records failed() { return {fail(Code::kNotFound, "no such name"), {}, {}}; }

bool knows_for(const Cache& cache, Duration time) {
  const auto at = [&](Duration after) { return cache.find(kStart + after, question(1)) != nullptr; };
  return at(time - nanoseconds(1)) && !at(time);
}

}  // namespace

TEST_CASE("records are known for their time to live, within bounds") {
  Cache cache;
  CHECK(cache.find(kStart, question(1)) == nullptr);
  for (const auto& [ttl, known] : {std::pair{seconds(30), seconds(30)}, std::pair{seconds(0), Cache::kTtlMin},
                                   std::pair{hours(24), Cache::kTtlMax}}) {
    cache.put(kStart, question(1), found(), ttl);
    CHECK(knows_for(cache, known));
  }
  CHECK(cache.find(kStart, {RecordType::kAaaa, "host-1"}) == nullptr);
}

TEST_CASE("that nothing was found is known for a short time, whatever is said") {
  Cache cache;
  cache.put(kStart, question(1), failed(), hours(1));
  REQUIRE(cache.find(kStart, question(1)) != nullptr);
  CHECK(cache.find(kStart, question(1))->result.error().code == Code::kNotFound);
  CHECK(knows_for(cache, Cache::kFailureTtl));
}

TEST_CASE("a full cache forgets what would have ended first") {
  Cache cache;
  for (int n = 0; n < static_cast<int>(Cache::kEntriesMax); ++n) {
    cache.put(kStart, question(n), found(), n == 7 ? seconds(10) : seconds(20));
  }
  CHECK(cache.size() == Cache::kEntriesMax);
  cache.put(kStart, question(-1), found(), seconds(10));
  CHECK(cache.size() == Cache::kEntriesMax);
  CHECK(cache.find(kStart, question(7)) == nullptr);
  CHECK(cache.find(kStart, question(8)) != nullptr);
  CHECK(cache.find(kStart, question(-1)) != nullptr);
}

TEST_CASE("what is put anew replaces what was there") {
  Cache cache;
  cache.put(kStart, question(1), found(100), seconds(10));
  const std::size_t bytes = cache.bytes();
  cache.put(kStart, question(1), found(100), seconds(20));
  CHECK(cache.size() == 1);
  CHECK(cache.bytes() == bytes);
  CHECK(knows_for(cache, seconds(20)));
}

TEST_CASE("the bytes of a cache are bounded") {
  Cache cache;
  const std::size_t addresses = Cache::kBytesMax / sizeof(IpAddress) / 10;
  for (int n = 0; n < 20; ++n) {
    cache.put(kStart, question(n), found(addresses), seconds(10 + n));
    CHECK(cache.bytes() <= Cache::kBytesMax);
  }
  CHECK(cache.find(kStart, question(0)) == nullptr);
  CHECK(cache.find(kStart, question(19)) != nullptr);
  cache.put(kStart, question(99), found(Cache::kBytesMax), seconds(10));
  CHECK(cache.find(kStart, question(99)) == nullptr);  // more than all of it
  CHECK(cache.find(kStart, question(19)) != nullptr);
}
