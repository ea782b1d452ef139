// What is remembered of others, and how much of it.
#include <catch2/catch.hpp>

#include "lan/guard.hpp"
#include "lan/recent_numbers.hpp"
#include "lan/senders.hpp"
#include "lan/suspects.hpp"

namespace p2pa::lan {
namespace {

constexpr Instant kBegin{1'000'000'000};

IpAddress ip(std::uint32_t n) {
  return IpAddress{{10, static_cast<std::uint8_t>(n >> 16), static_cast<std::uint8_t>(n >> 8),
                    static_cast<std::uint8_t>(n)}, false};
}

PeerId peer(std::uint32_t n) {
  Bytes multihash(34, 0);
  multihash[0] = 0x12;
  multihash[1] = 32;
  for (int i = 0; i < 4; ++i) multihash[static_cast<std::size_t>(2 + i)] = static_cast<std::uint8_t>(n >> (8 * i));
  return PeerId::from_bytes(multihash).value();
}

Id16 id(std::uint8_t fill) {
  Id16 out{};
  out.fill(fill);
  return out;
}

/// How many signatures of this source are checked at once.
std::uint64_t burst(Guard& guard, Instant now, const IpAddress& source) {
  std::uint64_t n = 0;
  while (n < 10'000 && guard.may_verify(now, source)) ++n;
  return n;
}

TEST_CASE("a stranger has fewer signatures checked than who proved that it is there") {
  Guard guard(kBegin);
  CHECK(burst(guard, kBegin, ip(1)) == kVerifyStranger.burst_bytes);
  guard.proven(kBegin, ip(2));
  CHECK(burst(guard, kBegin, ip(2)) == kVerifyProven.burst_bytes);
  const Instant later = kBegin + seconds(1);
  CHECK(burst(guard, later, ip(1)) == kVerifyStranger.bytes_per_second);
  CHECK(burst(guard, later, ip(2)) == kVerifyProven.bytes_per_second);
}

TEST_CASE("whoever makes up addresses leaves enough for those who are proven") {
  Guard guard(kBegin);
  guard.proven(kBegin, ip(1));
  std::uint64_t strangers = 0;
  for (std::uint32_t n = 2; n < 10'000; ++n) strangers += guard.may_verify(kBegin, ip(n)) ? 1u : 0u;
  CHECK(strangers == kVerifyStrangers.burst_bytes);
  CHECK(burst(guard, kBegin, ip(1)) == kVerifyProven.burst_bytes);
}

TEST_CASE("all together have a bound") {
  Guard guard(kBegin);
  std::uint64_t all = 0;
  for (std::uint32_t n = 0; n < 10; ++n) {
    guard.proven(kBegin, ip(n));
    all += burst(guard, kBegin, ip(n));
  }
  CHECK(all == kVerifyTotal.burst_bytes);
}

TEST_CASE("answers are bounded by source and in all") {
  Guard guard(kBegin);
  std::uint64_t one = 0, all = 0;
  while (guard.may_answer(kBegin, ip(1))) ++one;
  CHECK(one == kVerifyStranger.burst_bytes);
  for (std::uint32_t n = 2; n < 1000; ++n) all += guard.may_answer(kBegin, ip(n)) ? 1u : 0u;
  CHECK(one + all == kAnswerTotal.burst_bytes);
}

TEST_CASE("each number of a session counts once, and an old one never") {
  Senders senders;
  using enum Senders::Standing;
  CHECK(senders.standing(peer(1), id(1), 5) == kUnknown);
  REQUIRE(senders.prove(kBegin, peer(1), id(1), 5));
  CHECK(senders.standing(peer(1), id(1), 4) == kStale);
  CHECK(senders.standing(peer(1), id(1), 5) == kFresh);
  senders.mark(kBegin, peer(1), 5);
  CHECK(senders.standing(peer(1), id(1), 5) == kSeen);
  senders.mark(kBegin, peer(1), 5000);
  CHECK(senders.standing(peer(1), id(1), 4999) == kFresh);
  CHECK(senders.standing(peer(1), id(1), 5000 - udp::ReplayWindow::kSize) == kSeen);
}

TEST_CASE("a new session takes the place of the old one, and a second proof of one forgets nothing") {
  Senders senders;
  using enum Senders::Standing;
  REQUIRE(senders.prove(kBegin, peer(1), id(1), 0));
  senders.mark(kBegin, peer(1), 0);
  REQUIRE(senders.prove(kBegin, peer(1), id(1), 0));
  CHECK(senders.standing(peer(1), id(1), 0) == kSeen);
  REQUIRE(senders.prove(kBegin, peer(1), id(2), 0));
  CHECK(senders.standing(peer(1), id(1), 1) == kUnknown);
  CHECK(senders.standing(peer(1), id(2), 0) == kFresh);
  CHECK(senders.size() == 1);
}

TEST_CASE("an address is asked eight times a second at most, and all together two hundred times") {
  Guard guard(kBegin);
  const auto address = [](std::uint8_t n) { return IpAddress{{10, 0, 0, n}, false}; };
  for (int i = 0; i < 8; ++i) CHECK(guard.may_ask(kBegin, address(1)));
  CHECK_FALSE(guard.may_ask(kBegin, address(1)));
  CHECK(guard.may_ask(kBegin + milliseconds(130), address(1)));
  int asked = 0;
  for (std::uint8_t n = 2; n < 100; ++n) {
    for (int i = 0; i < 8; ++i) asked += guard.may_ask(kBegin + milliseconds(130), address(n)) ? 1 : 0;
  }
  CHECK(asked <= 200);
  CHECK(asked > 180);
}

TEST_CASE("over the bound of senders nobody goes who was heard of late, and then who was silent longest") {
  Senders senders;
  using enum Senders::Standing;
  for (std::uint32_t n = 0; n < kSendersMax; ++n) {
    REQUIRE(senders.prove(kBegin + milliseconds(n == 7 ? 0 : 1), peer(n), id(1), 0));
  }
  CHECK_FALSE(senders.prove(kBegin + kRecent + RecentNumbers::kStep, peer(kSendersMax), id(1), 0));
  REQUIRE(senders.prove(kBegin + kRecent + RecentNumbers::kStep + nanoseconds(1), peer(kSendersMax), id(1), 0));
  CHECK(senders.size() == kSendersMax);
  CHECK(senders.standing(peer(7), id(1), 1) == kUnknown);
  CHECK(senders.standing(peer(8), id(1), 1) == kFresh);
}

Suspect suspect(std::uint32_t n, const IpAddress& at, Instant now = kBegin) {
  return {peer(n), id(1), id(static_cast<std::uint8_t>(n)), {at, 4, 0}, now, now + kChallengeInterval};
}

TEST_CASE("one address has few suspects, and all together push out the first") {
  Suspects suspects;
  for (std::uint32_t n = 0; n < kSuspectsPerSourceMax; ++n) REQUIRE(suspects.add(suspect(n, ip(1))));
  CHECK(suspects.add(suspect(99, ip(1))) == nullptr);
  for (std::uint32_t n = 100; suspects.size() < kSuspectsMax; ++n) REQUIRE(suspects.add(suspect(n, ip(n))));
  CHECK(suspects.find(peer(0), id(1)) != nullptr);
  REQUIRE(suspects.add(suspect(98, ip(2))));
  CHECK(suspects.size() == kSuspectsMax);
  CHECK(suspects.find(peer(0), id(1)) == nullptr);
  CHECK(suspects.find(peer(98), id(1)) != nullptr);
}

TEST_CASE("a suspect is asked again until its time is up") {
  Suspects suspects;
  CHECK(suspects.next_deadline() == kNever);
  suspects.add(suspect(1, ip(1)))->held.resize(3);
  CHECK(suspects.next_deadline() == kBegin + kChallengeInterval);
  CHECK(suspects.due(kBegin) == nullptr);
  CHECK(suspects.due(kBegin + kChallengeInterval) != nullptr);
  CHECK(suspects.due(kBegin + kChallengeInterval) == nullptr);
  CHECK(suspects.expire(kBegin + kProofTimeout - nanoseconds(1)) == 0);
  CHECK(suspects.expire(kBegin + kProofTimeout) == 3);
  CHECK(suspects.size() == 0);
}

TEST_CASE("what is recent is known to a step") {
  RecentNumbers recent;
  CHECK(recent.oldest(kBegin) == 0);
  for (std::uint64_t n = 0; n < 100; ++n) recent.sending(kBegin + milliseconds(50) * static_cast<std::int64_t>(n), n);
  const Instant last = kBegin + milliseconds(50 * 99);
  const std::uint64_t oldest = recent.oldest(last);
  CHECK(oldest <= 99 - 40);                                     // all that were sent within two seconds
  CHECK(oldest >= 99 - 42);                                     // and none that is a step older
  CHECK(recent.oldest(last + kRecent + seconds(1)) == 100);
}

}  // namespace
}  // namespace p2pa::lan
