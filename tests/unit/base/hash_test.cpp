#include <catch2/catch.hpp>

#include <array>
#include <set>

#include "base/hash.hpp"

using namespace p2pa;

TEST_CASE("a hash is the same on every machine and in every run") {
  CHECK(stable_hash({}) == 0x5ea42e3815de6058);
  CHECK(stable_hash(as_bytes("p2pagents")) == 0xe63cc77b55f757d8);
  CHECK(stable_hash(as_bytes("p2pagents"), 7) == 0x6b1c38e357926ab0);
}

TEST_CASE("bytes that differ in one bit, or in zeros at the end, hash apart") {
  std::set<std::uint64_t> seen;
  Bytes bytes(38);
  seen.insert(stable_hash(bytes));
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    seen.insert(stable_hash(bytes));
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
  }
  for (std::size_t size = 0; size < 38; ++size) seen.insert(stable_hash(Bytes(size)));
  CHECK(seen.size() == 1 + 38 * 8 + 38);
}

TEST_CASE("the low bits of a hash are spread evenly") {
  std::array<int, 64> buckets{};
  for (int i = 0; i < 64'000; ++i) {
    Bytes key(38);  // only the high bits of its words differ
    key[7] = static_cast<std::uint8_t>(i);
    key[15] = static_cast<std::uint8_t>(i >> 8);
    ++buckets[stable_hash(key) % 64];
  }
  for (const int count : buckets) {
    CHECK(count > 700);
    CHECK(count < 1300);
  }
}
