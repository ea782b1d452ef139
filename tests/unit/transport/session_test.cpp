#include <catch2/catch.hpp>

#include "p2pagents/key_pair.hpp"
#include "transport/quic/anti_replay.hpp"
#include "transport/quic/session_cache.hpp"

using namespace p2pa;
using namespace p2pa::quic;

namespace {

PeerId peer(std::uint16_t n) {
  std::array<std::uint8_t, 36> key{8, 1, 18, 32};
  key[4] = static_cast<std::uint8_t>(n);
  key[5] = static_cast<std::uint8_t>(n >> 8);
  return PeerId::from_public_key(key);
}

StoredSession session(std::uint8_t n) { return {Bytes(10, n), Bytes(5, n), Bytes(3, n), kNever}; }

Bytes print(std::uint32_t n) {
  return {static_cast<std::uint8_t>(n), static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n >> 16), 1, 2, 3};
}

}  // namespace

TEST_CASE("the session cache keeps the newest session of those peers that were used last") {
  SessionCache cache;
  CHECK(cache.find(peer(1), {}) == nullptr);
  cache.put(peer(1), session(1));
  cache.put(peer(1), session(2));
  REQUIRE(cache.find(peer(1), {}) != nullptr);
  CHECK(cache.find(peer(1), {})->ticket == Bytes(10, 2));
  CHECK(cache.size() == 1);
  for (std::uint16_t n = 2; n <= SessionCache::kPeersMax; ++n) cache.put(peer(n), session(3));
  CHECK(cache.size() == SessionCache::kPeersMax);
  CHECK(cache.find(peer(1), {}) != nullptr);  // used: now 2 is the oldest
  cache.put(peer(9999), session(4));
  CHECK(cache.size() == SessionCache::kPeersMax);
  CHECK(cache.find(peer(1), {}) != nullptr);
  CHECK(cache.find(peer(2), {}) == nullptr);
  cache.forget(peer(1));
  cache.forget(peer(1));
  CHECK(cache.find(peer(1), {}) == nullptr);
}

TEST_CASE("a session is forgotten when its server's time for it is over") {
  SessionCache cache;
  StoredSession short_lived = session(1);
  short_lived.until = Instant{} + hours(6);
  cache.put(peer(1), short_lived);
  CHECK(cache.find(peer(1), Instant{} + hours(6) - nanoseconds(1)) != nullptr);
  CHECK(cache.find(peer(1), Instant{} + hours(6)) == nullptr);
  CHECK(cache.size() == 0);
}

TEST_CASE("a session over the bound is not kept, and the one before it is forgotten") {
  SessionCache cache;
  cache.put(peer(1), session(1));
  cache.put(peer(1), {Bytes(SessionCache::kSessionBytesMax + 1), {}, {}, kNever});
  CHECK(cache.find(peer(1), {}) == nullptr);
  cache.put(peer(1), {Bytes(SessionCache::kSessionBytesMax), {}, {}, kNever});
  CHECK(cache.find(peer(1), {}) != nullptr);
}

TEST_CASE("a fingerprint is taken once within its window") {
  AntiReplay seen;
  CHECK(seen.add(print(1), 1010, 10));
  CHECK_FALSE(seen.add(print(1), 1010, 10));
  CHECK_FALSE(seen.add(print(1), 1015, 10));
  CHECK(seen.add(print(2), 1019, 10));
  CHECK(seen.add(print(3), 1021, 10));      // a new generation
  CHECK_FALSE(seen.add(print(2), 1022, 10));
  CHECK(seen.add(print(1), 1100, 10));      // long expired: its ticket's age refuses it by itself
}

TEST_CASE("a full window refuses, and the next one is empty again") {
  AntiReplay seen;
  for (std::uint32_t n = 0; n < AntiReplay::kFingerprintsMax; ++n) REQUIRE(seen.add(print(n), 1010, 10));
  CHECK_FALSE(seen.add(print(AntiReplay::kFingerprintsMax), 1010, 10));
  CHECK(seen.add(print(AntiReplay::kFingerprintsMax), 1041, 10));
  CHECK(seen.size() <= 2 * AntiReplay::kFingerprintsMax);
}
