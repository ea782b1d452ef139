#include <catch2/catch.hpp>

#include <new>

#include "crypto/secret_bytes.hpp"

using namespace p2pa;
using namespace p2pa::crypto;

TEST_CASE("a secret is wiped when it goes") {
  alignas(SecretBytes<32>) std::uint8_t place[sizeof(SecretBytes<32>)];
  auto* secret = new (place) SecretBytes<32>;
  std::fill(secret->span().begin(), secret->span().end(), std::uint8_t{0xaa});
  CHECK(place[0] == 0xaa);
  secret->~SecretBytes();
  for (const volatile std::uint8_t& byte : place) CHECK(byte == 0);
}

TEST_CASE("comparison in constant time tells equal from different in content and in size") {
  CHECK(equal_constant_time(Bytes{1, 2, 3}, Bytes{1, 2, 3}));
  CHECK_FALSE(equal_constant_time(Bytes{1, 2, 3}, Bytes{1, 2, 4}));
  CHECK_FALSE(equal_constant_time(Bytes{1, 2, 3}, Bytes{1, 2}));
  CHECK(equal_constant_time({}, {}));
}
