#include "swarm/failure_detector.hpp"

#include <catch2/catch.hpp>
#include <deque>
#include <optional>

#include "crypto/rng.hpp"

using namespace p2pa;
using namespace p2pa::swarm;

namespace {

using Verdict = FailureDetector::Verdict;

/// A peer at the other end of a link: what it is asked it answers after a round trip, or never.
struct Link {
  explicit Link(std::uint8_t seed = 1) : rng(Bytes(32, seed)) {}

  void deliver(Instant until) {
    while (!answers.empty() && answers.front() <= until) {
      heard_at = std::max(heard_at, answers.front());
      answers.pop_front();
    }
  }
  /// Runs to `end`; says when the peer was declared dead.
  std::optional<Instant> run(Instant end) {
    while (detector.next_deadline() <= end) {
      now = std::max(now, detector.next_deadline());
      deliver(now);
      switch (detector.look(now, heard_at, measured)) {
        case Verdict::kAlive: break;
        case Verdict::kDead: return now;
        case Verdict::kProbe:
          ++probes;
          if (!gone && rng.unit() >= loss && rng.unit() >= loss) answers.push_back(now + rtt);
      }
    }
    now = end;
    deliver(now);
    return std::nullopt;
  }

  Rng rng;
  Duration rtt = milliseconds(1), measured = milliseconds(1);
  double loss = 0;
  bool gone = false;
  Instant now{1'000'000'000}, heard_at = now;
  int probes = 0;
  std::deque<Instant> answers;
  FailureDetector detector{now, kHeartbeat};
};

constexpr Instant kBegin{1'000'000'000};

}  // namespace

TEST_CASE("a peer that vanishes from a quiet link with a short round trip is dead within three seconds") {
  for (const std::int64_t ms : {0, 100, 699, 5'000, 12'345}) {
    Link link;
    REQUIRE_FALSE(link.run(kBegin + milliseconds(ms)).has_value());
    link.gone = true;
    const auto dead = link.run(kBegin + minutes(5));
    REQUIRE(dead.has_value());
    CHECK(*dead - (kBegin + milliseconds(ms)) < seconds(3));
    CHECK(*dead - link.heard_at > seconds(2));
  }
}

TEST_CASE("a quiet link costs one probe a heartbeat") {
  Link link;
  REQUIRE_FALSE(link.run(kBegin + seconds(70)).has_value());
  CHECK(link.probes <= 100);
  CHECK(link.probes >= 90);
  Link far;
  far.rtt = far.measured = milliseconds(300);
  REQUIRE_FALSE(far.run(kBegin + seconds(70)).has_value());
  CHECK(far.probes <= 100);
}

TEST_CASE("a busy link costs no probe") {
  Link link;
  for (int i = 1; i < 100; ++i) {
    const Instant at = kBegin + milliseconds(500 * i);
    REQUIRE_FALSE(link.run(at).has_value());
    link.heard_at = at;
  }
  CHECK(link.probes == 0);
}

TEST_CASE("a peer whose round trip grows to two seconds at once is not dead") {
  Link link;
  REQUIRE_FALSE(link.run(kBegin + seconds(20)).has_value());
  link.rtt = seconds(2);
  REQUIRE_FALSE(link.run(kBegin + seconds(30)).has_value());
  link.measured = seconds(2);
  CHECK_FALSE(link.run(kBegin + minutes(10)).has_value());
}

TEST_CASE("a peer behind a link that loses a third of everything is not dead") {
  for (std::uint8_t seed = 1; seed <= 20; ++seed) {
    Link link(seed);
    link.loss = 0.3;
    INFO(int(seed));
    CHECK_FALSE(link.run(kBegin + minutes(10)).has_value());
  }
}

TEST_CASE("a peer that is slow and behind a link with loss is not dead, and is when it vanishes") {
  for (std::uint8_t seed = 1; seed <= 20; ++seed) {
    Link link(seed);
    INFO(int(seed));
    link.rtt = link.measured = seconds(2);
    REQUIRE_FALSE(link.run(kBegin + seconds(20)).has_value());
    link.loss = 0.3;
    REQUIRE_FALSE(link.run(kBegin + minutes(5)).has_value());
    link.gone = true;
    CHECK(link.run(kBegin + minutes(7)).has_value());
  }
}

TEST_CASE("who looks much too late asks before it judges") {
  Link link;
  REQUIRE_FALSE(link.run(kBegin + seconds(5)).has_value());
  link.now = kBegin + minutes(5);  // asleep meanwhile
  CHECK_FALSE(link.run(kBegin + minutes(6)).has_value());
  link.gone = true;
  link.now = kBegin + minutes(9);
  const auto dead = link.run(kBegin + minutes(12));
  REQUIRE(dead.has_value());
  CHECK(*dead - (kBegin + minutes(9)) > seconds(1));
  CHECK(*dead - (kBegin + minutes(9)) < seconds(3));
}

TEST_CASE("a doubt is asked about at once") {
  Link link;
  REQUIRE_FALSE(link.run(kBegin + milliseconds(100)).has_value());
  link.detector.doubt(link.now);
  CHECK(link.detector.next_deadline() == link.now);
  CHECK(link.detector.look(link.now, link.heard_at, link.measured) == Verdict::kProbe);
  link.heard_at = link.now + milliseconds(1);
  link.now = link.now + milliseconds(100);
  CHECK(link.detector.look(link.now, link.heard_at, link.measured) == Verdict::kAlive);
  CHECK(link.detector.next_deadline() == link.heard_at + kHeartbeat);
}

TEST_CASE("suspicion grows with the silence") {
  const FailureDetector detector(kBegin, kHeartbeat);
  double before = 0;
  for (int i = 1; i <= 100; ++i) {
    const double phi = detector.phi(kBegin + milliseconds(100 * i), {});
    CHECK(phi > before);
    before = phi;
  }
  CHECK(detector.phi(kBegin + hours(10'000), {}) > before);
}
