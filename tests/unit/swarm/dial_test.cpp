#include "swarm/dial.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace p2pa;
using swarm::Dial;

namespace {

Multiaddr v4(int port) {
  return Multiaddr::parse("/ip4/192.0.2.1/udp/" + std::to_string(port) + "/quic-v1").value();
}
Multiaddr v6(int port) {
  return Multiaddr::parse("/ip6/2001:db8::1/udp/" + std::to_string(port) + "/quic-v1").value();
}

constexpr Instant kStart{1'000};
constexpr Error kRefusal{Code::kRefused, 7, "no"};
constexpr Error kSilence{Code::kTimeout, 0, "silence"};

}  // namespace

TEST_CASE("each address has a head start over the next") {
  Dial dial({v6(1), v4(1)}, kStart);
  REQUIRE(dial.candidate(kStart) != nullptr);
  CHECK(*dial.candidate(kStart) == v6(1));
  dial.started(kStart);
  CHECK(dial.candidate(kStart) == nullptr);
  CHECK(dial.next_deadline() == kStart + swarm::kDialStagger);
  REQUIRE(dial.candidate(dial.next_deadline()) != nullptr);
  CHECK(*dial.candidate(dial.next_deadline()) == v4(1));
}

TEST_CASE("among addresses of our own networks the head start is short") {
  const auto lan = [](const char* text) { return Multiaddr::parse(text).value(); };
  Dial near({lan("/ip4/10.0.0.7/udp/1/quic-v1"), lan("/ip4/10.0.0.7/tcp/1")}, kStart);
  near.started(kStart);
  CHECK(near.next_deadline() == kStart + swarm::kLocalDialStagger);
  Dial mixed({lan("/ip4/10.0.0.7/udp/1/quic-v1"), v4(1)}, kStart);
  mixed.started(kStart);
  CHECK(mixed.next_deadline() == kStart + swarm::kDialStagger);
}

TEST_CASE("a relay waits longer for the last direct address, and no longer for another relay") {
  const auto relay = [](int port) {
    return Multiaddr::parse("/ip4/192.0.2.9/udp/" + std::to_string(port) + "/quic-v1/p2p-circuit").value();
  };
  Dial dial({v4(1), relay(1), relay(2)}, kStart);
  dial.started(kStart);
  CHECK(dial.next_deadline() == kStart + swarm::kRelayDelay);
  dial.started(dial.next_deadline());
  CHECK(dial.next_deadline() == kStart + swarm::kRelayDelay + swarm::kDialStagger);
}

TEST_CASE("addresses that nobody answers at are summed up, whatever said so") {
  constexpr Error kNobody{Code::kUnreachable, 111, "nobody listens"};
  Dial dial({v4(1), v4(2)}, kStart);
  for (int i = 0; i < 2; ++i) {
    dial.started(kStart);
    dial.attempt_failed(kStart, kNobody);
  }
  REQUIRE(dial.exhausted());
  CHECK(dial.error().code == Code::kUnreachable);
  CHECK(dial.error().detail == 2);
}

TEST_CASE("a failure makes the next address due at once") {
  Dial dial({v4(1), v4(2)}, kStart);
  dial.started(kStart);
  const Instant later = kStart + milliseconds(3);
  dial.attempt_failed(later, kRefusal);
  REQUIRE(dial.candidate(later) != nullptr);
  CHECK(*dial.candidate(later) == v4(2));
  CHECK_FALSE(dial.exhausted());
}

TEST_CASE("addresses that fail alike give their reason, those that differ are unreachable") {
  Dial one({v4(1)}, kStart);
  one.started(kStart);
  one.attempt_failed(kStart, kRefusal);
  REQUIRE(one.exhausted());
  CHECK(one.error() == kRefusal);

  Dial two({v4(1), v4(2)}, kStart);
  two.started(kStart);
  two.attempt_failed(kStart, kRefusal);
  two.failed_to_start(kStart, kSilence);
  REQUIRE(two.exhausted());
  CHECK(two.error().code == Code::kUnreachable);
  CHECK(two.error().detail == 2);

  Dial silent({v4(1)}, kStart);
  silent.started(kStart);
  silent.attempt_failed(kStart, kSilence);
  CHECK(silent.error().code == Code::kUnreachable);
  CHECK(silent.error().detail == 1);
}

TEST_CASE("no address at all is an error of its own") {
  Dial dial({}, kStart);
  REQUIRE(dial.exhausted());
  CHECK(dial.error().code == Code::kNoAddress);
  CHECK(dial.next_deadline() == kNever);
}

TEST_CASE("attempts in flight and addresses tried are bounded") {
  std::vector<Multiaddr> many;
  for (int port = 1; port <= 40; ++port) many.push_back(v4(port));
  Dial dial(many, kStart);
  Instant now = kStart;
  std::size_t tried = 0;
  while (const Multiaddr* next = dial.candidate(now)) {
    CHECK(*next == v4(static_cast<int>(++tried)));
    dial.started(now);
    now = now + swarm::kDialStagger;
  }
  CHECK(tried == swarm::kDialsParallelMax);
  CHECK(dial.next_deadline() == kNever);
  while (!dial.exhausted()) {
    dial.attempt_failed(now, kSilence);
    if (dial.candidate(now) != nullptr) {
      dial.started(now);
      ++tried;
    }
  }
  CHECK(tried == swarm::kDialAddressesMax);
}

TEST_CASE("an address that is added is due at once and before the others") {
  Dial dial({v4(1), v4(2)}, kStart);
  dial.started(kStart);
  dial.add(v4(3), kStart);
  REQUIRE(dial.candidate(kStart) != nullptr);
  CHECK(*dial.candidate(kStart) == v4(3));
  dial.add(v4(2), kStart);  // known, and not tried yet
  CHECK(*dial.candidate(kStart) == v4(2));
  dial.add(v4(1), kStart);  // in flight
  CHECK(*dial.candidate(kStart) == v4(2));
  for (int i = 0; i < 2; ++i) {
    dial.failed_to_start(kStart, kRefusal);
    CHECK_FALSE(dial.exhausted());
  }
  dial.attempt_failed(kStart, kRefusal);
  CHECK(dial.exhausted());
}

TEST_CASE("an address that is added to a full dial takes the place of the last one") {
  std::vector<Multiaddr> many;
  for (int port = 1; port <= static_cast<int>(swarm::kDialAddressesMax); ++port) many.push_back(v4(port));
  Dial dial(many, kStart);
  dial.add(v4(99), kStart);
  std::vector<Multiaddr> tried;
  while (const Multiaddr* next = dial.candidate(kStart)) {
    tried.push_back(*next);
    dial.failed_to_start(kStart, kRefusal);
  }
  CHECK(tried.size() == swarm::kDialAddressesMax);
  CHECK(tried.front() == v4(99));
  CHECK(tried.back() == many[many.size() - 2]);
}

TEST_CASE("a dial is down to one when nothing else can win") {
  Dial dial({v4(1), v4(2)}, kStart);
  CHECK_FALSE(dial.down_to_one());
  dial.started(kStart);
  CHECK_FALSE(dial.down_to_one());
  dial.attempt_failed(kStart, kRefusal);
  CHECK_FALSE(dial.down_to_one());
  dial.started(kStart);
  CHECK(dial.down_to_one());
}

TEST_CASE("a dial of which nothing is tried tells why it was skipped") {
  constexpr Error kMismatch{Code::kPeerIdMismatch, 0, "another"};
  Dial alike({}, kStart);
  alike.skipped(kMismatch);
  alike.skipped(kMismatch);
  REQUIRE(alike.exhausted());
  CHECK(alike.error() == kMismatch);

  Dial differ({}, kStart);
  differ.skipped(kMismatch);
  differ.skipped(kSilence);
  CHECK(differ.error().code == Code::kUnreachable);

  Dial tried({v4(1)}, kStart);  // what was tried says more
  tried.skipped(kMismatch);
  tried.started(kStart);
  tried.attempt_failed(kStart, kRefusal);
  CHECK(tried.error() == kRefusal);
}

TEST_CASE("an address that is appended is tried after all others, once, and within the bound") {
  Dial dial({v4(1)}, kStart);
  dial.append(v4(2));
  dial.append(v4(1));
  for (const Multiaddr& expected : {v4(1), v4(2)}) {
    REQUIRE(dial.candidate(kStart) != nullptr);
    CHECK(*dial.candidate(kStart) == expected);
    dial.failed_to_start(kStart, kRefusal);
  }
  CHECK(dial.exhausted());
  std::size_t appended = 2;
  for (int port = 3; port < 60; ++port) dial.append(v4(port));
  for (; dial.candidate(kStart) != nullptr; ++appended) dial.failed_to_start(kStart, kRefusal);
  CHECK(appended == swarm::kDialAddressesMax);
}

TEST_CASE("a dial waits for the names in its addresses") {
  Dial dial({}, kStart);
  dial.expect_name();
  dial.expect_name();
  CHECK_FALSE(dial.exhausted());
  CHECK(dial.candidate(kStart) == nullptr);
  dial.name_failed(kSilence);
  CHECK_FALSE(dial.exhausted());
  dial.name_resolved({v4(1)}, kStart);
  REQUIRE(dial.candidate(kStart) != nullptr);
  dial.started(kStart);
  CHECK(dial.down_to_one());
  dial.attempt_failed(kStart, kRefusal);
  REQUIRE(dial.exhausted());
  CHECK(dial.error() == Error{Code::kUnreachable, 2, ""});
}

TEST_CASE("that a name stands for nothing is the error when there was nothing else") {
  constexpr Error kNoName{Code::kUnresolved, 0, "no such name"};
  Dial dial({}, kStart);
  dial.expect_name();
  dial.name_failed(kNoName);
  REQUIRE(dial.exhausted());
  CHECK(dial.error() == kNoName);
}

TEST_CASE("what a name stands for is ranked among what was not tried yet, each once") {
  const auto tcp = Multiaddr::parse("/ip4/192.0.2.1/tcp/1").value();
  Dial dial({v4(1), tcp}, kStart);
  dial.expect_name();
  dial.started(kStart);
  CHECK_FALSE(dial.down_to_one());
  dial.name_resolved({v4(1), v4(2), tcp, v6(1)}, kStart);
  Instant now = kStart;
  for (const Multiaddr& expected : {v6(1), v4(2), tcp}) {
    now = std::max(now, dial.next_deadline());
    CHECK((now - kStart).ns > 0);  // the first one keeps its head start
    REQUIRE(dial.candidate(now) != nullptr);
    CHECK(*dial.candidate(now) == expected);
    dial.started(now);
    dial.attempt_failed(now, kRefusal);
  }
  CHECK(dial.down_to_one());
}

TEST_CASE("names do not make a dial try more addresses than it may") {
  Dial dial({v4(1)}, kStart);
  dial.started(kStart);
  std::vector<Multiaddr> many;
  for (int port = 2; port < 100; ++port) many.push_back(v4(port));
  for (int i = 0; i < 2; ++i) {
    dial.expect_name();
    dial.name_resolved(many, kStart);
  }
  std::size_t tried = 1;
  dial.attempt_failed(kStart, kRefusal);
  for (; !dial.exhausted(); ++tried) dial.failed_to_start(kStart, kRefusal);
  CHECK(tried == swarm::kDialAddressesMax);
}

TEST_CASE("what begins again is due before what was not tried yet, in its old order") {
  Dial dial({v4(1), v4(2), v4(3)}, kStart);
  dial.started(kStart);
  dial.started(kStart);
  const Instant later = kStart + milliseconds(3);
  dial.start_again(v4(2), later);
  dial.start_again(v4(1), later);
  for (const int port : {1, 2, 3}) {
    REQUIRE(dial.candidate(dial.next_deadline()) != nullptr);
    CHECK(*dial.candidate(dial.next_deadline()) == v4(port));
    if (port == 1) CHECK(dial.next_deadline() == later);
    dial.started(dial.next_deadline());
  }
  CHECK(dial.next_deadline() == kNever);
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(dial.exhausted());
    dial.attempt_failed(later, kSilence);
  }
  CHECK(dial.exhausted());
  CHECK(dial.error().detail == 3);
}
