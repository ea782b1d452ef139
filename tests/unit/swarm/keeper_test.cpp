#include "swarm/keeper.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "p2pagents/key_pair.hpp"

using namespace p2pa;
using namespace p2pa::swarm;

namespace {

constexpr Instant kBegin{1'000'000'000};

PeerId peer(std::uint8_t n) { return KeyPair::from_seed(Bytes(32, n)).peer_id(); }

/// Fails dials one after the other and says the pauses between them.
std::vector<Duration> pauses(Keeper& keeper, Instant& now, int count) {
  std::vector<Duration> out;
  for (int i = 0; i < count; ++i) {
    REQUIRE(keeper.pop_due(now) == peer(1));
    keeper.dial_failed(now, peer(1));
    out.push_back(keeper.next_deadline() - now);
    now = keeper.next_deadline();
  }
  return out;
}

}  // namespace

TEST_CASE("a peer that is away is dialed at once, and not twice at a time") {
  Rng rng(Bytes(32, 1));
  Keeper keeper(rng);
  REQUIRE(keeper.keep(kBegin, peer(1), false).has_value());
  REQUIRE(keeper.keep(kBegin, peer(1), false).has_value());
  CHECK(keeper.next_deadline() == kBegin);
  CHECK(keeper.pop_due(kBegin) == peer(1));
  CHECK(keeper.next_deadline() == kNever);
  keeper.connected(kBegin, peer(1));
  CHECK(keeper.next_deadline() == kNever);
}

TEST_CASE("pauses grow to their bound, at random and within three times the last one") {
  Rng rng(Bytes(32, 2));
  Keeper keeper(rng);
  Instant now = kBegin;
  REQUIRE(keeper.keep(now, peer(1), false).has_value());
  const auto all = pauses(keeper, now, 200);
  Duration before = kRedialBase, longest{};
  for (const Duration pause : all) {
    CHECK(pause >= kRedialBase);
    CHECK(pause <= kRedialMax);
    CHECK(pause <= before * 3);
    before = pause;
    longest = std::max(longest, pause);
  }
  CHECK(longest > kRedialMax / 2);
  CHECK(std::ranges::adjacent_find(all) == all.end());
}

TEST_CASE("a connection that lasted makes the next pause short, and one that did not leaves it") {
  Rng rng(Bytes(32, 3));
  Keeper keeper(rng);
  Instant now = kBegin;
  REQUIRE(keeper.keep(now, peer(1), false).has_value());
  Duration last{};
  while (last < seconds(30)) last = pauses(keeper, now, 1)[0];
  REQUIRE(keeper.pop_due(now) == peer(1));
  keeper.connected(now, peer(1));
  now = now + kStableAfter;
  keeper.disconnected(now, peer(1));
  CHECK(keeper.next_deadline() - now <= kRedialBase * 3);

  // Let in and thrown out: that is no reason to hurry.
  Duration longest{};
  for (int i = 0; i < 50; ++i) {
    now = keeper.next_deadline();
    REQUIRE(keeper.pop_due(now) == peer(1));
    keeper.connected(now, peer(1));
    keeper.disconnected(now, peer(1));
    longest = std::max(longest, keeper.next_deadline() - now);
  }
  CHECK(longest > seconds(10));
}

TEST_CASE("a change of the network makes everybody who is away due at once") {
  Rng rng(Bytes(32, 4));
  Keeper keeper(rng);
  Instant now = kBegin;
  REQUIRE(keeper.keep(now, peer(1), false).has_value());
  while (pauses(keeper, now, 1)[0] < seconds(10)) {
  }
  REQUIRE(keeper.keep(now, peer(2), true).has_value());
  now = now - seconds(5);
  keeper.network_changed(now);
  CHECK(keeper.next_deadline() == now);
  CHECK(keeper.pop_due(now) == peer(1));
  CHECK_FALSE(keeper.pop_due(now).has_value());  // the other one is here
  SECTION("its pauses are short again") {
    keeper.dial_failed(now, peer(1));
    CHECK(keeper.next_deadline() - now <= kRedialBase * 3);
  }
  SECTION("a dial that began before it is made again") {
    keeper.network_changed(now + milliseconds(10));
    keeper.dial_failed(now + seconds(1), peer(1));
    CHECK(keeper.next_deadline() == now + seconds(1));
  }
}

TEST_CASE("who is not kept any more is not dialed, whatever happens") {
  Rng rng(Bytes(32, 5));
  Keeper keeper(rng);
  REQUIRE(keeper.keep(kBegin, peer(1), false).has_value());
  CHECK(keeper.forget(peer(1)));
  CHECK_FALSE(keeper.forget(peer(1)));
  keeper.disconnected(kBegin, peer(1));
  keeper.dial_failed(kBegin, peer(1));
  keeper.network_changed(kBegin);
  CHECK(keeper.next_deadline() == kNever);
}

TEST_CASE("the peers that are kept are bounded") {
  Rng rng(Bytes(32, 6));
  Keeper keeper(rng);
  const auto name = [](std::size_t n) {
    const std::string key = "key " + std::to_string(n);
    return PeerId::from_public_key(as_bytes(key));
  };
  for (std::size_t i = 0; i < kKeptPeersMax; ++i) REQUIRE(keeper.keep(kBegin, name(i), true).has_value());
  CHECK(keeper.keep(kBegin, name(kKeptPeersMax), true).error() == Error{Code::kLimitPeer, kKeptPeersMax, ""});
  CHECK(keeper.keep(kBegin, name(0), true).has_value());
  REQUIRE(keeper.forget(name(0)));
  CHECK(keeper.keep(kBegin, name(kKeptPeersMax), true).has_value());
}
