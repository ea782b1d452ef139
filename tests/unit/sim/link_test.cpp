#include "sim/link.hpp"

#include <catch2/catch.hpp>

using namespace p2pa;
using namespace p2pa::sim;

namespace {

struct Fixture {
  std::uint8_t seed[32] = {1};
  Rng rng{seed};
  Stats stats;
  Link link;
  LinkOptions options;
  std::optional<Instant> send(std::int64_t at_ns, std::size_t size = 1000) {
    return pass(link, options, Instant{at_ns}, size, rng, stats);
  }
};

}  // namespace

TEST_CASE("a link without faults delivers after its delay, exactly") {
  Fixture f;
  f.options.delay = milliseconds(50);
  CHECK(f.send(7) == Instant{50'000'007});
  CHECK(f.send(8, 1500) == Instant{50'000'008});
}

TEST_CASE("a packet one byte over the MTU is dropped and counted") {
  Fixture f;
  CHECK(f.send(0, 1500));
  CHECK_FALSE(f.send(0, 1501));
  CHECK(f.stats.oversized == 1);
}

TEST_CASE("a cut link passes nothing until it is healed") {
  Fixture f;
  f.link.cut = true;
  CHECK_FALSE(f.send(0));
  CHECK(f.stats.cut == 1);
  f.link.cut = false;
  CHECK(f.send(0));
}

TEST_CASE("a rate spaces packets by their time on the wire") {
  Fixture f;
  f.options = {.delay = milliseconds(1), .rate_bits_per_s = 8'000'000};  // a byte a microsecond
  CHECK(f.send(0) == Instant{2'000'000});
  CHECK(f.send(0) == Instant{3'000'000});
  CHECK(f.send(5'000'000) == Instant{7'000'000});  // the link was idle since
}

TEST_CASE("a full queue drops, and takes packets again once it drained") {
  Fixture f;
  f.options = {.delay = {}, .rate_bits_per_s = 8'000'000, .queue_bytes = 3000};
  int taken = 0;
  while (f.send(0)) ++taken;
  CHECK(taken == 4);  // three wait, one is on the wire
  CHECK(f.stats.overflowed == 1);
  CHECK(f.send(1'000'000));
  CHECK_FALSE(f.send(1'000'000));
}

TEST_CASE("loss is as frequent as it says") {
  Fixture f;
  f.options.loss = 0.1;
  int arrived = 0;
  for (int i = 0; i < 10'000; ++i) arrived += f.send(i).has_value() ? 1 : 0;
  CHECK(arrived > 8800);
  CHECK(arrived < 9200);
  CHECK(f.stats.lost == 10'000u - static_cast<unsigned>(arrived));
  f.options.loss = 1;
  CHECK_FALSE(f.send(20'000));
}

TEST_CASE("jitter spreads arrivals but keeps their order, and reordering breaks it") {
  Fixture f;
  f.options = {.delay = milliseconds(10), .jitter = milliseconds(5)};
  Instant last{}, earliest = kNever, latest{};
  for (int i = 0; i < 1000; ++i) {
    const Instant sent{i * 1000};
    const auto at = f.send(sent.ns);
    REQUIRE(at);
    REQUIRE(*at >= last);
    last = *at;
    REQUIRE(*at >= sent + milliseconds(10));
    REQUIRE(*at <= sent + milliseconds(15));
    earliest = std::min(earliest, *at);
    latest = std::max(latest, *at);
  }
  CHECK(latest > earliest);

  f.options = {.delay = milliseconds(10), .reorder = 0.5, .reorder_delay = milliseconds(5)};
  int overtaken = 0;
  last = {};
  for (int i = 0; i < 1000; ++i) {
    const auto at = f.send(100'000'000 + i * 1000);
    REQUIRE(at);
    overtaken += *at < last ? 1 : 0;
    last = *at;
  }
  CHECK(overtaken > 100);
}

TEST_CASE("losses in bursts are as many as losses by themselves, but in a row") {
  Fixture f;
  f.options.loss = 0.05;
  f.options.loss_burst = 4;
  int lost = 0, runs = 0;
  bool before = false;
  constexpr int kPackets = 200'000;
  for (int i = 0; i < kPackets; ++i) {
    const bool now = !f.send(i);
    lost += now ? 1 : 0;
    runs += now && !before ? 1 : 0;
    before = now;
  }
  CHECK(lost == Approx(0.05 * kPackets).epsilon(0.1));
  CHECK(lost == Approx(4 * runs).epsilon(0.1));
  CHECK(f.stats.lost == static_cast<std::uint64_t>(lost));
}
