// How much TCP has under way: slow start, and CUBIC after a loss.

#include <catch2/catch.hpp>

#include "sim/tcp_window.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

constexpr std::size_t kSegment = 1000;

struct Path {
  Duration rtt;
  Instant now{0};
  TcpWindow window{kSegment};

  double segments() const { return static_cast<double>(window.bytes()) / kSegment; }
  /// A window was sent and arrives within a round trip.
  void round() {
    const auto count = static_cast<std::int64_t>(window.bytes() / kSegment);
    for (std::int64_t i = 0; i < count; ++i) {
      now = now + rtt / count;
      window.on_arrival(now, kSegment, rtt);
    }
  }
  void rounds(Duration time) {
    for (const Instant end = now + time; now < end;) round();
  }
  /// With 100 segments under way.
  void lose_at_hundred() {
    while (window.bytes() < 100 * kSegment) window.on_arrival(now, kSegment, rtt);
    window.on_loss(100 * kSegment);
  }
};

}  // namespace

TEST_CASE("slow start begins with ten segments, and doubles them each round trip") {
  Path path{milliseconds(100)};
  CHECK(path.window.bytes() == 10 * kSegment);
  path.round();
  CHECK(path.window.bytes() == 20 * kSegment);
  path.round();
  CHECK(path.window.bytes() == 40 * kSegment);
}

TEST_CASE("a loss leaves seven tenths, which are back where they were after the time that CUBIC says") {
  Path path{milliseconds(100)};
  path.lose_at_hundred();
  CHECK(path.segments() == Approx(70).margin(0.1));
  path.rounds(seconds(2));
  CHECK(path.segments() > 85);  // most of it soon,
  path.rounds(milliseconds(2200));
  CHECK(path.segments() == Approx(100).margin(1));  // K is 4.2 s,
  path.rounds(seconds(1));
  CHECK(path.segments() < 102);  // carefully where the loss was,
  path.rounds(seconds(5));
  CHECK(path.segments() > 130);  // and then ever faster
}

TEST_CASE("on a short path it grows as Reno does: about half a segment a round trip") {
  Path path{milliseconds(5)};
  path.lose_at_hundred();
  path.rounds(milliseconds(200));
  CHECK(path.segments() == Approx(70 + 40 * 0.53).margin(1.5));
}

TEST_CASE("who lost again before it was back where it was aims lower") {
  Path path{milliseconds(100)};
  path.lose_at_hundred();
  path.window.on_loss(70 * kSegment);
  CHECK(path.segments() == Approx(49).margin(0.1));
  path.rounds(seconds(2));
  CHECK(path.segments() < 62);  // by the curve to 70 it would be 68
}

TEST_CASE("time in which the window was not used does not count") {
  Path path{milliseconds(100)};
  path.lose_at_hundred();
  path.round();
  path.now = path.now + minutes(1);
  path.window.on_idle(minutes(1));
  const double before = path.segments();
  path.round();
  CHECK(path.segments() < before + 10);
}

TEST_CASE("a time-out leaves one segment, and slow start to where the loss left off") {
  Path path{milliseconds(100)};
  path.lose_at_hundred();
  path.window.on_timeout(50 * kSegment, false);
  CHECK(path.window.bytes() == kSegment);
  path.window.on_timeout(1 * kSegment, true);  // silence goes on: nothing new of the path
  path.rounds(milliseconds(700));
  CHECK(path.segments() > 34);
  CHECK(path.segments() < 40);
}

TEST_CASE("two segments are always allowed, however much is lost") {
  Path path{milliseconds(100)};
  path.window.on_loss(kSegment);
  CHECK(path.window.bytes() == 2 * kSegment);
}
