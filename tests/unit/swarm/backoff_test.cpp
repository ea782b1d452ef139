#include "swarm/backoff.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "p2pagents/key_pair.hpp"

using namespace p2pa;
using swarm::Backoff;

namespace {

constexpr Error kSilence{Code::kTimeout, 0, "silence"};
constexpr Instant kStart{1'000};

PeerId peer(std::uint8_t seed) { return KeyPair::from_seed(Bytes(32, seed)).peer_id(); }
Multiaddr at(int port) { return Multiaddr::parse("/ip4/192.0.2.1/tcp/" + std::to_string(port)).value(); }

}  // namespace

TEST_CASE("each failure in a row holds longer, by the square, up to a bound") {
  Backoff backoff;
  Instant now = kStart;
  for (const std::int64_t expected : {5, 6, 9, 14, 21, 30}) {
    backoff.failed(now, peer(1), at(1), kSilence);
    const Instant end = now + seconds(expected);
    CHECK(backoff.holds(end - nanoseconds(1), peer(1), at(1)) != nullptr);
    CHECK(backoff.holds(end, peer(1), at(1)) == nullptr);
    now = end;
  }
  for (int i = 0; i < 100; ++i) backoff.failed(now, peer(1), at(1), kSilence);
  CHECK(backoff.holds(now + swarm::kBackoffMax - nanoseconds(1), peer(1), at(1)) != nullptr);
  CHECK(backoff.holds(now + swarm::kBackoffMax, peer(1), at(1)) == nullptr);
}

TEST_CASE("an address that is left alone says why, whoever is named at its end") {
  Backoff backoff;
  backoff.failed(kStart, peer(1), at(1).with_peer_id(peer(1)), {Code::kPeerIdMismatch, 0, "another"});
  const Error* why = backoff.holds(kStart, peer(1), at(1));
  REQUIRE(why != nullptr);
  CHECK(why->code == Code::kPeerIdMismatch);
  backoff.failed(kStart, peer(1), at(1), kSilence);
  CHECK(backoff.holds(kStart, peer(1), at(1))->code == Code::kTimeout);
}

TEST_CASE("a peer at one address concerns no other peer and no other address") {
  Backoff backoff;
  backoff.failed(kStart, peer(1), at(1), kSilence);
  CHECK(backoff.holds(kStart, peer(1), at(2)) == nullptr);
  CHECK(backoff.holds(kStart, peer(2), at(1)) == nullptr);
}

TEST_CASE("a success forgets the failures, and so does time") {
  Backoff backoff;
  backoff.failed(kStart, peer(1), at(1), kSilence);
  backoff.failed(kStart, peer(1), at(1), kSilence);
  backoff.worked(peer(1), at(1));
  CHECK(backoff.holds(kStart, peer(1), at(1)) == nullptr);
  backoff.failed(kStart, peer(1), at(1), kSilence);
  CHECK(backoff.holds(kStart + swarm::kBackoffBase, peer(1), at(1)) == nullptr);

  const Instant later = kStart + swarm::kBackoffBase * 2;  // over for as long as it held
  backoff.failed(later, peer(1), at(1), kSilence);
  CHECK(backoff.holds(later + swarm::kBackoffBase, peer(1), at(1)) == nullptr);
}

TEST_CASE("the failures that are kept are bounded, and those that are over next go first") {
  Backoff backoff;
  const int most = static_cast<int>(swarm::kBackoffsMax);
  backoff.failed(kStart, peer(1), at(1), kSilence);
  for (int port = 2; port <= most + 1; ++port) backoff.failed(kStart + seconds(1), peer(1), at(port), kSilence);
  CHECK(backoff.size() == swarm::kBackoffsMax);
  CHECK(backoff.holds(kStart + seconds(1), peer(1), at(1)) == nullptr);
  CHECK(backoff.holds(kStart + seconds(1), peer(1), at(2)) != nullptr);
  // What nobody needs any more makes room for all.
  const Instant later = kStart + minutes(1);
  backoff.failed(later, peer(1), at(most + 2), kSilence);
  CHECK(backoff.size() == 1);
}
