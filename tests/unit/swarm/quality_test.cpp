#include "swarm/quality.hpp"

#include <catch2/catch.hpp>
#include <vector>

using namespace p2pa;
using namespace p2pa::swarm;

namespace {

constexpr Instant kBegin{1'000'000'000};

ConnectionStats stats(Duration rtt, Duration variance = {}) {
  ConnectionStats out;
  out.rtt = rtt;
  out.rtt_variance = variance;
  return out;
}

}  // namespace

TEST_CASE("a connection that was not measured costs what is assumed") {
  const Quality quality;
  CHECK(quality.cost() == Quality::kUnknownRtt);
  CHECK(quality.score() == Approx(0.5));
}

TEST_CASE("a shorter round trip, less jitter and less loss are each better") {
  Quality near, far, shaky, lossy;
  near.sample(kBegin, stats(milliseconds(10)));
  far.sample(kBegin, stats(milliseconds(50)));
  shaky.sample(kBegin, stats(milliseconds(10), milliseconds(30)));
  ConnectionStats s = stats(milliseconds(10));
  lossy.sample(kBegin, s);
  s.packets_sent = 100;
  s.packets_repeated = 30;
  lossy.sample(kBegin + seconds(60), s);
  CHECK(lossy.loss() == Approx(0.3).epsilon(0.01));
  CHECK(near.score() > far.score());
  CHECK(near.score() > shaky.score());
  CHECK(near.score() > lossy.score());
  CHECK(near.cost() == milliseconds(10));
}

TEST_CASE("throughput follows what flows, the last seconds most") {
  Quality quality;
  ConnectionStats s = stats(milliseconds(10));
  quality.sample(kBegin, s);
  Instant now = kBegin;
  const auto flow = [&](std::uint64_t bytes_per_s, int for_seconds) {
    for (int i = 0; i < for_seconds; ++i) {
      now = now + seconds(1);
      s.bytes_sent += bytes_per_s / 2;
      s.bytes_received += bytes_per_s / 2;
      quality.sample(now, s);
    }
  };
  flow(1'000'000, 30);
  CHECK(quality.throughput() == Approx(1e6).epsilon(0.01));
  flow(0, 5);
  CHECK(quality.throughput() == Approx(1e6 / std::exp(1.0)).epsilon(0.01));
}

TEST_CASE("samples too close together are one") {
  Quality quality;
  ConnectionStats s = stats(milliseconds(10));
  quality.sample(kBegin, s);
  s.bytes_sent = 1'000'000;
  quality.sample(kBegin + Duration{1}, s);
  CHECK(quality.throughput() == 0);
  quality.sample(kBegin + Quality::kSampleMin, s);
  CHECK(quality.throughput() > 0);
}

TEST_CASE("a connection of which everything was lost is still no infinity") {
  Quality quality;
  ConnectionStats s = stats(milliseconds(10));
  quality.sample(kBegin, s);
  s.packets_sent = 10;
  s.packets_repeated = 20;
  quality.sample(kBegin + minutes(10), s);
  CHECK(quality.loss() <= 1);
  CHECK(quality.cost() < seconds(1));
  CHECK(quality.score() > 0);
}

TEST_CASE("the better connection is taken until it is so busy that the other one is faster") {
  std::vector<Choice> two{{milliseconds(10), 0}, {milliseconds(35), 0}};
  std::vector<std::uint32_t> taken(2);
  for (int i = 0; i < 9; ++i) {
    const std::size_t chosen = two[1].wait() < two[0].wait() ? 1 : 0;
    ++two[chosen].load;
    ++taken[chosen];
  }
  CHECK(taken[0] > taken[1]);
  CHECK(taken[1] > 0);
}

TEST_CASE("of many peers all get something, the good and idle ones most, the worst of all nothing") {
  Rng rng(Bytes(32, 7));
  const std::vector<Choice> peers{{milliseconds(10), 0}, {milliseconds(10), 0}, {milliseconds(20), 0},
                                  {milliseconds(10), 9}, {milliseconds(500), 3}};
  std::vector<int> taken(peers.size());
  for (int i = 0; i < 10'000; ++i) ++taken[choose_peer(rng, peers)];
  CHECK(taken[0] + taken[1] > taken[2] * 2);
  CHECK(taken[2] > taken[3]);
  CHECK(taken[3] > 0);
  CHECK(taken[4] == 0);
  CHECK(choose_peer(rng, std::vector<Choice>{{}}) == 0);
}
