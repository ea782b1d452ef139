// How far bulk may run ahead, of the limit alone and of a Yamux session that has it.

#include "transport/mux/ahead_limit.hpp"

#include <catch2/catch.hpp>

#include "support/yamux_end.hpp"

using namespace p2pa;
using mux::AheadLimit;
using test::YamuxEnd;

namespace {

constexpr Duration kRtt = milliseconds(100);

/// A path that takes so many bytes in a round trip, and a sender that sends what it may.
struct Path {
  void round(std::uint64_t takes, bool eager = true) {
    const std::uint64_t sent = eager ? std::min(limit.most(), takes) : takes;
    static_cast<void>(limit.holds(eager ? limit.most() : 0));
    now = now + kRtt;
    total += sent;
    limit.on_confirmed(now, total, kRtt);
  }

  AheadLimit limit;
  Instant now{};
  std::uint64_t total = 0;
};

/// A dialer with one stream of each of two classes, whose peer is the test.
struct Sender {
  Sender() : end(yamux::Config{.dialer = true}, wide()) {
    end.sent();
    hear({yamux::FrameType::kPing, yamux::kAck, 0, 1});
    bulk = *end.open_stream(false);
    urgent = *end.open_stream(false);
    end.set_priority(bulk, Priority::kBulk);
  }
  static Limits wide() {
    Limits limits;
    limits.send_buffer_max = std::size_t{64} << 20;
    return limits;
  }
  void hear(const yamux::Frame& frame) { REQUIRE(end.receive(test::bytes_of(frame))); }
  void allow_all(std::uint32_t stream) { hear({yamux::FrameType::kWindowUpdate, 0, stream, 1u << 30}); }
  /// What is sent now: bytes of that stream, and the last ping's number.
  std::size_t sent(std::uint32_t stream) {
    std::size_t out = 0;
    for (const test::YamuxFrame& frame : end.sent()) {
      if (frame.head.type == yamux::FrameType::kData && frame.head.stream == stream) out += frame.body.size();
      if (frame.head.type == yamux::FrameType::kPing && frame.head.has(yamux::kSyn)) last_ping = frame.head.length;
    }
    return out;
  }

  YamuxEnd end;
  StreamId bulk{}, urgent{};
  std::uint32_t last_ping = 0;
};

}  // namespace

TEST_CASE("bulk begins with a floor, and follows what the path takes") {
  Path path;
  CHECK(path.limit.most() == AheadLimit::kFloor);
  CHECK_FALSE(path.limit.holds(AheadLimit::kFloor - 1));
  CHECK(path.limit.holds(AheadLimit::kFloor));
  for (int i = 0; i < 10; ++i) path.round(10'000'000);
  CHECK(path.limit.most() == 20'000'000);
  for (int i = 0; i < 10; ++i) path.round(1'000'000);
  CHECK(path.limit.most() == 2'000'000);
  for (int i = 0; i < 10; ++i) path.round(1'000);
  CHECK(path.limit.most() == AheadLimit::kFloor);
}

TEST_CASE("an application that pauses says nothing of the path") {
  Path path;
  for (int i = 0; i < 10; ++i) path.round(10'000'000);
  for (int i = 0; i < 100; ++i) path.round(10, false);
  CHECK(path.limit.most() == 20'000'000);
}

TEST_CASE("answers that come at once are one round") {
  AheadLimit limit;
  for (int i = 1; i <= 100; ++i) limit.on_confirmed(Instant{} + Duration{i}, std::uint64_t(i) << 20, kRtt);
  CHECK(limit.most() == AheadLimit::kFloor);
}

TEST_CASE("bulk that nobody confirms stops at the limit, others go on, and an answer frees it") {
  Sender sender;
  const std::size_t much = 8 * AheadLimit::kFloor;
  REQUIRE(sender.end.write(sender.bulk, Bytes(much)) == much);
  REQUIRE(sender.end.write(sender.urgent, Bytes(1)) == 1);
  sender.sent(1);
  sender.allow_all(1);
  sender.allow_all(3);
  sender.sent(1);  // a window of it had gone already
  CHECK(sender.sent(1) == 0);
  REQUIRE(sender.end.write(sender.urgent, Bytes(much)) == much);
  CHECK(sender.sent(3) == much);

  sender.hear({yamux::FrameType::kPing, yamux::kAck, 0, sender.last_ping});
  CHECK(sender.end.woken);
  const std::size_t freed = sender.sent(1);
  CHECK(freed >= AheadLimit::kFloor);
  CHECK(freed < AheadLimit::kFloor + yamux::kFrameBytesShared * 4);
}

TEST_CASE("bulk that waits asks again when no answer comes") {
  Sender sender;
  const std::size_t much = 2 * AheadLimit::kFloor;
  REQUIRE(sender.end.write(sender.bulk, Bytes(much)) == much);
  sender.sent(1);
  sender.allow_all(1);
  sender.sent(1);
  const std::uint32_t lost = sender.last_ping;
  sender.end.now = sender.end.now + yamux::kConfirmAgain;
  CHECK(sender.end.session.next_deadline() == sender.end.now);
  REQUIRE(sender.end.session.on_deadline(sender.end.now));
  CHECK(sender.sent(1) == 0);
  CHECK(sender.last_ping == lost + 1);
}
