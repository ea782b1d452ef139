// Loss recovery of a UDP session: what arrived, what did not, and how fast to send.

#include <catch2/catch.hpp>
#include <cmath>

#include "crypto/rng.hpp"
#include "transport/udp/ack_tracker.hpp"
#include "transport/udp/cubic.hpp"
#include "transport/udp/loss_recovery.hpp"
#include "transport/udp/mtu_probe.hpp"
#include "transport/udp/pacer.hpp"
#include "transport/udp/reassembly.hpp"

using namespace p2pa;
using namespace p2pa::udp;

namespace {

AckFrame take(AckTracker& tracker, Instant now) {
  const AckFrame ack = tracker.frame(now);
  tracker.said();
  return ack;
}

constexpr Instant kBegin{seconds(10).ns};

Instant at(std::int64_t ms) { return kBegin + milliseconds(ms); }

AckFrame ack_of(std::vector<Range> newest_first) {
  AckFrame ack;
  for (const Range& range : newest_first) ack.storage[ack.count++] = range;
  return ack;
}

/// A session's sending side.
struct Sender {
  RttEstimator rtt;
  LossRecovery recovery;

  std::uint64_t send(Instant when, std::size_t size = 1000) {
    SentPacket packet;
    packet.number = recovery.take_number();
    packet.at = when;
    packet.size = size;
    recovery.sent(packet);
    return packet.number;
  }
};

std::vector<std::uint64_t> numbers(const std::vector<SentPacket>& packets) {
  std::vector<std::uint64_t> out;
  for (const SentPacket& packet : packets) out.push_back(packet.number);
  return out;
}

using Numbers = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("ranges join where they touch, and come apart where something is taken out") {
  RangeSet set;
  set.add({5, 5});
  CHECK(set.empty());
  set.add({10, 20});
  set.add({30, 40});
  set.add({20, 25});
  CHECK(set.ranges() == std::vector<Range>{{10, 25}, {30, 40}});
  set.add({24, 30});
  CHECK(set.ranges() == std::vector<Range>{{10, 40}});
  set.remove({15, 20});
  set.remove({35, 50});
  set.remove({0, 11});
  CHECK(set.ranges() == std::vector<Range>{{11, 15}, {20, 35}});
  CHECK(set.contains(11));
  CHECK_FALSE(set.contains(15));
  CHECK(set.contains(34));
  CHECK_FALSE(set.contains(35));
  set.add({0, 100});
  CHECK(set.ranges() == std::vector<Range>{{0, 100}});
  set.remove({0, 100});
  CHECK(set.empty());
}

TEST_CASE("a set of ranges is what a set of numbers is") {
  Rng rng(Bytes(32, 1));
  RangeSet set;
  std::vector<bool> numbers(200);
  for (int i = 0; i < 3000; ++i) {
    const std::uint64_t begin = rng.below(200), end = begin + rng.below(201 - begin);
    const bool put = rng.below(2) == 0;
    put ? set.add({begin, end}) : set.remove({begin, end});
    for (std::uint64_t n = begin; n < end; ++n) numbers[n] = put;
    for (std::size_t n = 0; n < numbers.size(); ++n) REQUIRE(set.contains(n) == numbers[n]);
    for (std::size_t r = 1; r < set.count(); ++r) REQUIRE(set.ranges()[r].begin > set.ranges()[r - 1].end);
  }
}

TEST_CASE("the round trip is that of the newest packet, without the peer's delay") {
  Sender s;
  s.send(at(0));
  s.send(at(10));
  CHECK(s.recovery.acknowledged(ack_of({{0, 2}}), at(60), s.rtt));
  CHECK(s.rtt.smoothed() == milliseconds(50));
  CHECK(s.rtt.least() == milliseconds(50));
  s.rtt.sample(milliseconds(70), milliseconds(20));
  CHECK(s.rtt.smoothed() == milliseconds(50));
  s.rtt.sample(milliseconds(130), seconds(9));  // it may not claim more than the most that is allowed
  CHECK(s.rtt.smoothed() == (milliseconds(50) * 7 + milliseconds(105)) / 8);
  CHECK(s.rtt.least() == milliseconds(50));
}

TEST_CASE("a packet is lost when three behind it arrived") {
  Sender s;
  for (int i = 0; i < 5; ++i) s.send(at(i));
  auto outcome = s.recovery.acknowledged(ack_of({{2, 3}}), at(50), s.rtt);
  REQUIRE(outcome);
  CHECK(numbers(outcome->acknowledged) == Numbers{2});
  CHECK(outcome->lost.empty());
  CHECK(s.recovery.in_flight() == 4000);
  outcome = s.recovery.acknowledged(ack_of({{2, 4}}), at(51), s.rtt);
  CHECK(numbers(outcome->lost) == Numbers{0});
  CHECK(s.recovery.in_flight() == 2000);
  // What was given up may still arrive, and is no news.
  outcome = s.recovery.acknowledged(ack_of({{0, 4}}), at(52), s.rtt);
  CHECK(numbers(outcome->acknowledged) == Numbers{1});
}

TEST_CASE("a packet is lost when one behind it arrived and 9/8 of a round trip went by") {
  Sender s;
  s.send(at(0));
  s.send(at(0));
  REQUIRE(s.recovery.acknowledged(ack_of({{1, 2}}), at(80), s.rtt));
  CHECK(s.recovery.next_deadline(s.rtt) == at(90));
  CHECK(s.recovery.on_deadline(at(89), s.rtt).empty());
  CHECK(numbers(s.recovery.on_deadline(at(90), s.rtt)) == Numbers{0});
  CHECK(s.recovery.in_flight() == 0);
  CHECK(s.recovery.next_deadline(s.rtt) == kNever);
}

TEST_CASE("when nothing is heard probes may go, rarer each time, and nothing is given up") {
  Sender s;
  s.send(at(0));
  const Duration timeout = s.rtt.probe_timeout();
  CHECK(s.recovery.next_deadline(s.rtt) == at(0) + timeout);
  CHECK(s.recovery.on_deadline(at(0) + timeout, s.rtt).empty());
  CHECK(s.recovery.probes_due() == 2);
  CHECK(s.recovery.timeouts() == 1);
  REQUIRE(s.recovery.oldest() != nullptr);
  CHECK(s.recovery.oldest()->number == 0);
  CHECK(s.recovery.next_deadline(s.rtt) == at(0) + timeout + timeout * 2);
  s.recovery.probe_sent();
  CHECK(s.recovery.probes_due() == 1);
  CHECK(s.recovery.in_flight() == 1000);
  REQUIRE(s.recovery.acknowledged(ack_of({{0, 1}}), at(2000), s.rtt));
  CHECK(s.recovery.timeouts() == 0);
  CHECK(s.recovery.probes_due() == 0);
  CHECK(s.recovery.oldest() == nullptr);
}

TEST_CASE("nobody can acknowledge what was never sent") {
  Sender s;
  s.send(at(0));
  CHECK(s.recovery.acknowledged(ack_of({{0, 2}}), at(1), s.rtt).error().code == Code::kProtocolViolation);
  CHECK(s.recovery.acknowledged(ack_of({{UINT64_MAX - 2, UINT64_MAX - 1}}), at(1), s.rtt).error().code ==
        Code::kProtocolViolation);
}

TEST_CASE("everything lost for three time-outs is persistent congestion, and one arrival between denies it") {
  RttEstimator rtt;
  rtt.sample(milliseconds(20), {});
  LossRecovery::Outcome outcome;
  outcome.lost = {{1, at(0), 1000, false, {}}, {9, at(1000), 1000, false, {}}};
  CHECK(persistent_congestion(outcome, rtt));
  outcome.acknowledged = {{5, at(500), 1000, false, {}}};
  CHECK_FALSE(persistent_congestion(outcome, rtt));
  outcome.acknowledged = {{10, at(1001), 1000, false, {}}};
  CHECK(persistent_congestion(outcome, rtt));
  outcome.lost[1].at = at(100);
  CHECK_FALSE(persistent_congestion(outcome, rtt));
}

TEST_CASE("the window doubles in a round trip until something is lost, and then is 7/10") {
  Cubic cubic(1000);
  CHECK(cubic.window() == 10'000);
  cubic.acknowledged(10'000, at(0), at(50), milliseconds(50), true);
  CHECK(cubic.window() == 20'000);
  cubic.acknowledged(5'000, at(10), at(60), milliseconds(50), false);  // it was not what held us back
  CHECK(cubic.window() == 20'000);
  cubic.lost(at(20), at(70));
  CHECK(cubic.window() == 14'000);
  cubic.lost(at(60), at(80));  // it was under way when the window shrank
  CHECK(cubic.window() == 14'000);
  cubic.acknowledged(10'000, at(65), at(80), milliseconds(50), true);
  CHECK(cubic.window() == 14'000);
  cubic.lost(at(71), at(100));
  CHECK(cubic.window() == 9'800);
  cubic.collapse();
  CHECK(cubic.window() == 2'000);
  for (int i = 0; i < 20; ++i) cubic.lost(at(1000 + i * 10), at(1005 + i * 10));
  CHECK(cubic.window() == 2'000);
}

TEST_CASE("after a loss the window comes back to where it was, rests there, and goes beyond") {
  Cubic cubic(1000);
  while (cubic.window() < 1'000'000) cubic.acknowledged(cubic.window(), at(0), at(1), milliseconds(50), true);
  const double peak = static_cast<double>(cubic.window());
  cubic.lost(at(2), at(3));
  const double k = std::cbrt(peak * 0.3 / 1000 / 0.4);  // seconds (RFC 9438 §4.2)
  std::vector<double> by_time;
  for (int ms = 50; ms < static_cast<int>(2 * k * 1000); ms += 50) {
    for (int part = 0; part < 10; ++part) {
      cubic.acknowledged(cubic.window() / 10, at(ms - 50), at(ms), milliseconds(50), true);
    }
    by_time.push_back(static_cast<double>(cubic.window()) / peak);
  }
  CHECK(by_time[by_time.size() / 4] > 0.85);
  CHECK(by_time[by_time.size() / 4] < 0.99);
  CHECK(by_time[by_time.size() / 2] == Approx(1).margin(0.02));
  CHECK(by_time.back() == Approx(1.3).margin(0.05));
}

TEST_CASE("on a short way the window grows at least as Reno's does") {
  Cubic cubic(1000);
  cubic.acknowledged(10'000, at(0), at(1), milliseconds(1), true);
  cubic.lost(at(2), at(3));
  const std::size_t before = cubic.window();
  for (int i = 5; i < 45; ++i) cubic.acknowledged(cubic.window(), at(i - 1), at(i), milliseconds(1), true);
  CHECK(cubic.window() >= before + 40 * 500);  // 0.53 packets a round trip, and 1 above the peak
  CHECK(cubic.window() <= before + 40 * 1000);
}

TEST_CASE("time in which the window was not used brings it no further") {
  static constexpr Duration kRtt = milliseconds(50);
  const auto window_after = [](bool trickle, bool pause) {
    Cubic cubic(1000);
    while (cubic.window() < 200'000) cubic.acknowledged(cubic.window(), at(0), at(1), kRtt, true);
    cubic.lost(at(2), at(3));
    cubic.acknowledged(1000, at(4), at(54), kRtt, true);
    int ms = 54;
    for (; trickle && ms < 60'054; ms += 50) cubic.acknowledged(1000, at(ms), at(ms + 50), kRtt, false);
    if (pause) ms += 60'000;
    for (int end = ms + 500; ms < end; ms += 50) {
      for (int part = 0; part < 10; ++part) {
        cubic.acknowledged(cubic.window() / 10, at(ms), at(ms + 50), kRtt, true);
      }
    }
    return cubic.window();
  };
  const std::size_t steady = window_after(false, false);
  CHECK(steady < 250'000);
  CHECK(window_after(true, false) <= steady + 2'000);
  CHECK(window_after(false, true) <= steady + 2'000);
}

TEST_CASE("a burst goes at once, and what follows is spread over the round trip") {
  Pacer pacer;
  constexpr std::size_t kWindow = 100'000;
  constexpr Duration kRtt = milliseconds(100);
  Instant now = at(0);
  std::size_t sent = 0;
  while (pacer.ready_at(now, kWindow, kRtt) <= now) {
    pacer.sent(1000, now, kWindow, kRtt);
    sent += 1000;
  }
  CHECK(sent >= Pacer::kBurst);
  CHECK(sent <= Pacer::kBurst + 1000);
  for (std::size_t more = 0; more < kWindow; more += 1000) {
    const Instant ready = pacer.ready_at(now, kWindow, kRtt);
    CHECK(ready > now - nanoseconds(1));
    now = std::max(now, ready);
    pacer.sent(1000, now, kWindow, kRtt);
  }
  CHECK(now - at(0) >= milliseconds(78));  // 5/4 of the window a round trip
  CHECK(now - at(0) <= milliseconds(82));
  // After a pause there is a burst again, and no more.
  now = now + seconds(10);
  sent = 0;
  while (pacer.ready_at(now, kWindow, kRtt) <= now) {
    pacer.sent(1000, now, kWindow, kRtt);
    sent += 1000;
  }
  CHECK(sent <= Pacer::kBurst + 1000);
}

TEST_CASE("packets grow as far as the path carries them") {
  MtuProbe probe;
  CHECK(probe.size() == 1200);
  REQUIRE(probe.due() == std::size_t{1280});
  probe.sent(7);
  CHECK_FALSE(probe.due());
  CHECK_FALSE(probe.acknowledged(6));
  CHECK(probe.acknowledged(7));
  CHECK(probe.size() == 1280);
  for (std::uint64_t n = 8; n < 11; ++n) {
    REQUIRE(probe.due() == std::size_t{1372});
    probe.sent(n);
    CHECK(probe.lost(n));
  }
  CHECK_FALSE(probe.due());
  CHECK(probe.size() == 1280);
  CHECK_FALSE(probe.timed_out(MtuProbe::kBlackHole - 1));
  CHECK(probe.timed_out(MtuProbe::kBlackHole));
  CHECK(probe.size() == 1200);
  CHECK_FALSE(probe.due());
}

TEST_CASE("every second packet is acknowledged at once, one alone after a while, a gap at once") {
  AckTracker tracker;
  tracker.received(0, false, at(0));
  CHECK_FALSE(tracker.owed());
  tracker.received(1, true, at(1));
  CHECK(tracker.due_at() == at(1) + kAckDelayMax);
  tracker.received(2, true, at(2));
  CHECK(tracker.due_at() == at(2));
  AckFrame ack = take(tracker, at(3));
  CHECK(ack.count == 1);
  CHECK(ack.storage[0] == Range{0, 3});
  CHECK(ack.delay_us == 1000);
  CHECK_FALSE(tracker.owed());
  tracker.received(4, true, at(4));
  CHECK(tracker.due_at() == at(4));
  ack = take(tracker, at(4));
  CHECK(ack.count == 2);
  CHECK(ack.storage[1] == Range{0, 3});
  tracker.received(3, true, at(5));
  CHECK(tracker.due_at() == at(5));
  CHECK(take(tracker, at(6)).count == 1);
}

TEST_CASE("an acknowledgement has the newest ranges, and no more than fit") {
  AckTracker tracker;
  for (std::uint64_t n = 0; n <= kAckRangesMax; ++n) tracker.received(2 * n, true, at(0));
  const AckFrame ack = take(tracker, at(0));
  CHECK(ack.count == kAckRangesMax);
  CHECK(ack.storage[kAckRangesMax - 1] == Range{2, 3});
}

TEST_CASE("bytes come out in order, whatever order and pieces they came in") {
  std::string text(20'000, 0);
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 31 >> 3);
  Rng rng(Bytes(32, 2));
  Reassembly reassembly;
  std::string out;
  while (out.size() < text.size()) {
    const std::size_t begin = rng.below(text.size());
    const std::size_t size = 1 + rng.below(std::min<std::size_t>(1500, text.size() - begin));
    REQUIRE(reassembly.keep(begin, as_bytes(std::string_view(text).substr(begin, size))));
    while (!reassembly.front().empty()) {
      const ByteView front = reassembly.front();
      out += as_text(front);
      reassembly.skip_to(reassembly.next() + front.size());
    }
  }
  CHECK(out == text);
  CHECK(reassembly.empty());
}

TEST_CASE("bytes that came without a detour are not given out again") {
  Reassembly reassembly;
  REQUIRE(reassembly.keep(5, as_bytes("fghij")));
  CHECK(reassembly.front().empty());
  reassembly.skip_to(7);
  CHECK(as_text(reassembly.front()) == "hij");
  reassembly.skip_to(10);
  CHECK(reassembly.empty());
  REQUIRE(reassembly.keep(2, as_bytes("old")));
  CHECK(reassembly.empty());
}

TEST_CASE("there are only so many gaps") {
  Reassembly reassembly;
  for (std::uint64_t i = 0; i < Reassembly::kGapsMax; ++i) REQUIRE(reassembly.keep(2 * i + 1, as_bytes("x")));
  CHECK_FALSE(reassembly.keep(2 * Reassembly::kGapsMax + 1, as_bytes("x")));
  CHECK(reassembly.front().empty());
  reassembly.skip_to(2);
  CHECK(reassembly.keep(2 * Reassembly::kGapsMax + 1, as_bytes("x")));
}
