// BBR of UDP sessions: a model of the path instead of losses.

#include <catch2/catch.hpp>
#include <string>

#include "crypto/rng.hpp"
#include "support/udp_pair.hpp"
#include "support/writer.hpp"
#include "transport/udp/bbr.hpp"

using namespace p2pa;
using namespace p2pa::test;
using udp::Bbr;

namespace {

constexpr Duration kRtt = milliseconds(50);
constexpr std::size_t kPacket = 1000;

/// A path of a megabyte a second, which a sender fills as far as he may.
struct Path {
  Bbr bbr{kPacket};
  udp::RttEstimator rtt;
  Instant now{seconds(5).ns};
  Instant free{};
  std::size_t in_flight = 0;
  std::uint64_t number = 0;
  std::deque<std::pair<Instant, udp::SentPacket>> under_way;

  /// Loses every `nth`; 0: none.
  void run(Duration time, std::uint64_t nth = 0) {
    for (const Instant end = now + time; now < end; now = now + milliseconds(1)) {
      while (!under_way.empty() && under_way.front().first <= now) {
        const udp::SentPacket packet = under_way.front().second;
        under_way.pop_front();
        if (nth > 0 && packet.number % nth == 0) {
          bbr.lost(packet, now);
        } else {
          rtt.sample(now - packet.at, {});
          bbr.acknowledged(packet, now, rtt, in_flight, true);
        }
        in_flight -= packet.size;
      }
      while (in_flight + kPacket <= bbr.window()) {
        udp::SentPacket packet{number++, now, kPacket, false, {}};
        bbr.sent(packet, in_flight);
        free = std::max(free, now) + milliseconds(1);
        under_way.emplace_back(free + kRtt, packet);
        in_flight += kPacket;
      }
    }
  }
};

/// Megabytes that a stream carries in ten seconds over a road of one a second, or of another.
double megabytes(CongestionControl control, std::uint64_t loses_one_of, std::uint64_t bytes_per_second = 1'000'000,
                 Duration delay = milliseconds(25)) {
  udp::Config config;
  config.congestion_control = control;
  UdpPair pair(config);
  pair.delay = delay;
  pair.bytes_per_second = bytes_per_second;
  udp::Connection& c = pair.connect();
  Rng rng(udp_seed(4));
  pair.filter = [&](UdpPair::Flight&) { return loses_one_of == 0 || rng.below(loses_one_of) != 0; };
  const std::string text = pattern(16 << 20);
  Writer writer{c, *c.open_stream(false), text};
  pair.a.told.on_event = [&](Instant, const TransportEvent& e) {
    if (e.event.kind == ConnectionEvent::Kind::kWritable) writer.go();
  };
  std::size_t got = 0;
  pair.b.told.drain = false;
  pair.b.told.on_event = [&](Instant, const TransportEvent& e) {
    if (e.event.kind != ConnectionEvent::Kind::kReadable) return;
    for (ByteView bytes; !(bytes = e.connection->peek(e.event.stream)).empty();) {
      got += bytes.size();
      e.connection->consume(e.event.stream, bytes.size());
    }
  };
  writer.go();
  pair.run_for(seconds(10));
  return static_cast<double>(got) / 1e6;
}

}  // namespace

TEST_CASE("the window is twice what the path holds, and a little, whatever single packets it loses") {
  for (const std::uint64_t nth : {std::uint64_t{0}, std::uint64_t{20}}) {
    Path path;
    path.run(seconds(5), nth);
    INFO(nth);
    CHECK(path.bbr.bandwidth() > 0.9e6);
    CHECK(path.bbr.bandwidth() < 1.1e6);
    CHECK(path.bbr.window() > 80'000);
    CHECK(path.bbr.window() < 120'000);
  }
}

TEST_CASE("when a third of all is lost the window shrinks, and it grows again") {
  Path path;
  path.run(seconds(5));
  const std::size_t before = path.bbr.window();
  path.run(seconds(2), 3);
  CHECK(path.bbr.window() < before / 3);
  path.run(seconds(5));
  CHECK(path.bbr.window() > before * 9 / 10);
  path.bbr.collapse();
  CHECK(path.bbr.window() == 4 * kPacket);
}

TEST_CASE("who does not fill the path is taken to have found what he used, no less") {
  Path path;
  path.run(seconds(3));
  const double before = path.bbr.bandwidth();
  for (int i = 0; i < 200; ++i) {  // one packet each 20 ms
    udp::SentPacket packet{path.number++, path.now, kPacket, false, {}};
    path.bbr.idle(0);
    path.bbr.sent(packet, 0);
    path.now = path.now + kRtt;
    path.rtt.sample(kRtt, {});
    path.bbr.acknowledged(packet, path.now, path.rtt, kPacket, false);
  }
  CHECK(path.bbr.bandwidth() == before);
}

TEST_CASE("what left on the path before says nothing of this one") {
  Path before;
  before.run(seconds(1));
  REQUIRE_FALSE(before.under_way.empty());
  Bbr bbr(kPacket);
  bbr.acknowledged(before.under_way.front().second, before.now, before.rtt, kPacket, true);
  CHECK(bbr.bandwidth() == 0);
  CHECK(bbr.window() == 10 * kPacket);
}

TEST_CASE("with BBR a session goes on where the road holds less than a packet") {
  CHECK(megabytes(CongestionControl::kBbr, 0, 125'000, microseconds(2500)) > 0.8);
  CHECK(megabytes(CongestionControl::kBbr, 0, 1'000'000, microseconds(250)) > 8);
  CHECK(megabytes(CongestionControl::kBbr, 0, 60'000, milliseconds(5)) > 0.4);
}

TEST_CASE("with BBR a session fills its road, and goes on though one packet of twenty is lost") {
  CHECK(megabytes(CongestionControl::kBbr, 0) > 8);
  const double bbr = megabytes(CongestionControl::kBbr, 20), cubic = megabytes(CongestionControl::kCubic, 20);
  CHECK(bbr > 6);
  CHECK(bbr > 3 * cubic);
}
