#include "swarm/black_hole.hpp"

#include <catch2/catch.hpp>

using namespace p2pa;
using namespace p2pa::swarm;
using State = BlackHoleDetector::State;

namespace {

void record(BlackHoleDetector& detector, std::size_t times, bool worked) {
  for (std::size_t i = 0; i < times; ++i) detector.record(worked);
}
Multiaddr address(const char* text) { return Multiaddr::parse(text).value(); }

}  // namespace

TEST_CASE("before enough was tried nothing is blocked") {
  BlackHoleDetector detector;
  record(detector, kBlackHoleTries - 1, false);
  CHECK(detector.state() == State::kUnknown);
  CHECK(detector.ask());
  detector.record(false);
  CHECK(detector.state() == State::kBlocked);
  CHECK_FALSE(detector.ask());
}

TEST_CASE("a few successes among many failures are enough, one less is not") {
  BlackHoleDetector detector;
  record(detector, kBlackHoleSuccessesMin, true);
  record(detector, kBlackHoleTries - kBlackHoleSuccessesMin, false);
  CHECK(detector.state() == State::kPasses);
  detector.record(false);  // the oldest success is forgotten
  CHECK(detector.state() == State::kBlocked);
}

TEST_CASE("of many dials of a blocked kind one may try, and its success unblocks") {
  BlackHoleDetector detector;
  record(detector, kBlackHoleTries, false);
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 1; i < kBlackHoleProbeEvery; ++i) CHECK_FALSE(detector.ask());
    CHECK(detector.ask());
    detector.record(false);
  }
  detector.record(true);
  CHECK(detector.state() == State::kUnknown);
  CHECK(detector.ask());
}

TEST_CASE("another network is another matter") {
  BlackHoleDetector detector;
  record(detector, kBlackHoleTries, false);
  detector.reset();
  CHECK(detector.ask());
}

TEST_CASE("UDP and IPv6 are judged apart, by addresses that lead out only") {
  BlackHoles holes;
  const auto quic4 = address("/ip4/8.8.8.8/udp/1/quic-v1"), quic6 = address("/ip6/2a00::1/udp/1/quic-v1");
  const auto tcp4 = address("/ip4/8.8.8.8/tcp/1"), tcp6 = address("/ip6/2a00::1/tcp/1");
  const auto lan = address("/ip4/10.0.0.1/udp/1/quic-v1");
  for (std::size_t i = 0; i < kBlackHoleTries; ++i) {
    holes.record(lan, false);
    holes.record(tcp4, false);
  }
  CHECK(holes.udp().state() == State::kUnknown);
  CHECK(holes.ip6().state() == State::kUnknown);
  for (std::size_t i = 0; i < kBlackHoleTries; ++i) holes.record(quic4, false);
  auto skipped = holes.ask({quic4, quic6, tcp4, tcp6, lan});
  CHECK(skipped.has(quic4));
  CHECK(skipped.has(quic6));
  CHECK_FALSE(skipped.has(tcp4));
  CHECK_FALSE(skipped.has(tcp6));
  CHECK_FALSE(skipped.has(lan));
  for (std::size_t i = 0; i < kBlackHoleTries; ++i) holes.record(tcp6, false);
  skipped = holes.ask({tcp4, tcp6});
  CHECK(skipped.has(tcp6));
  CHECK_FALSE(skipped.has(tcp4));
  holes.reset();
  CHECK_FALSE(holes.ask({quic4, tcp6}).has(quic4));
}

TEST_CASE("a dial without addresses of the kind uses up no probe") {
  BlackHoles holes;
  const auto quic = address("/ip4/8.8.8.8/udp/1/quic-v1"), tcp = address("/ip4/8.8.8.8/tcp/1");
  for (std::size_t i = 0; i < kBlackHoleTries; ++i) holes.record(quic, false);
  for (std::size_t i = 0; i < kBlackHoleProbeEvery; ++i) CHECK_FALSE(holes.ask({tcp}).udp);
  for (std::size_t i = 1; i < kBlackHoleProbeEvery; ++i) CHECK(holes.ask({quic, quic, tcp}).udp);
  CHECK_FALSE(holes.ask({quic}).udp);
}
