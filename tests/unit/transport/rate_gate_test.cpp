// Limits between the streams of one connection and what carries them.
#include <catch2/catch.hpp>

#include "support/yamux_end.hpp"

using namespace p2pa;
using namespace p2pa::test;

namespace {

constexpr RateLimit kSlow{.bytes_per_second = 10'000, .burst_bytes = 2000};

struct Ends {
  YamuxEnd client{{.dialer = true}}, server{{.dialer = false}};
  StreamId there = 0;

  Ends() {
    for (YamuxEnd* end : {&client, &server}) end->resources.shaper().advance(end->now);
  }
  void carry() {
    REQUIRE(server.receive(client.fill()));
    REQUIRE(client.receive(server.fill()));
    ConnectionEvent event;
    while (server.poll_event(event)) {
      if (event.kind == ConnectionEvent::Kind::kStreamOpened) there = event.stream;
    }
    while (client.poll_event(event)) {}
  }
  void pass(Duration time) {
    for (YamuxEnd* end : {&client, &server}) {
      end->now = end->now + time;
      end->resources.shaper().on_deadline(end->now);
    }
    carry();
  }
  std::size_t read() {
    std::size_t n = 0;
    while (!server.peek(there).empty()) {
      n += server.peek(there).size();
      server.consume(there, server.peek(there).size());
    }
    return n;
  }
};

shaping::Scope scope(const char* text) { return *shaping::parse_scope(text); }

}  // namespace

TEST_CASE("without tokens a stream sends nothing more, and goes on when there are some") {
  Ends ends;
  REQUIRE(ends.client.resources.shaper().set(scope(""), Direction::kOutbound, kSlow));
  const StreamId stream = *ends.client.open_stream(false);
  REQUIRE(ends.client.write(stream, Bytes(100'000)) == 100'000);
  ends.carry();
  CHECK(ends.read() == 2000);
  ends.pass(milliseconds(50));
  CHECK(ends.read() == 0);  // not a piece of 1 KiB yet
  ends.pass(milliseconds(150));
  CHECK(ends.read() == 2000);
  CHECK(ends.client.resources.shaper().clear(scope(""), Direction::kOutbound));
  ends.carry();
  CHECK(ends.read() == 96'000);
}

TEST_CASE("what arrived without tokens is shown when there are some, and its end after it") {
  Ends ends;
  REQUIRE(ends.server.resources.shaper().set(scope(""), Direction::kInbound, kSlow));
  const StreamId stream = *ends.client.open_stream(false);
  REQUIRE(ends.client.write(stream, Bytes(4000)) == 4000);
  ends.client.finish(stream);
  ends.carry();
  CHECK(ends.read() == 2000);
  CHECK_FALSE(ends.server.at_end(ends.there));
  ends.pass(milliseconds(200));
  CHECK(ends.read() == 2000);
  CHECK(ends.server.at_end(ends.there));
}

TEST_CASE("bytes that came before the protocol was named fall under its limit too, once") {
  Ends ends;
  shaping::Shaper& shaper = ends.server.resources.shaper();
  REQUIRE(shaper.set(scope("/slow"), Direction::kInbound, kSlow));
  REQUIRE(shaper.set(scope(""), Direction::kInbound, {.bytes_per_second = 1, .burst_bytes = 50'000}));
  const StreamId stream = *ends.client.open_stream(false);
  REQUIRE(ends.client.write(stream, Bytes(40'000)) == 40'000);
  ends.carry();
  CHECK(ends.server.peek(ends.there).size() > 0);
  ends.server.set_protocol(ends.there, "/slow");
  CHECK(ends.read() == 2000);
  ends.pass(milliseconds(200));
  CHECK(ends.read() == 2000);
  CHECK(shaper.clear(scope("/slow"), Direction::kInbound));
  CHECK(ends.read() == 36'000);  // the node's bucket was charged once: it had 50,000
}

TEST_CASE("a stream that is reset while it waits leaves nothing behind") {
  Ends ends;
  shaping::Shaper& shaper = ends.client.resources.shaper();
  REQUIRE(shaper.set(scope(""), Direction::kOutbound, {.bytes_per_second = 1, .burst_bytes = 1}));
  const StreamId stream = *ends.client.open_stream(false);
  REQUIRE(ends.client.write(stream, Bytes(10)) == 10);
  ends.carry();
  CHECK(shaper.next_deadline() != kNever);
  ends.client.reset(stream, 7);
  CHECK(shaper.next_deadline() == kNever);
  ends.carry();
}

TEST_CASE("an urgent stream's frames are filled in first, and the others' share stays") {
  Ends ends;
  const StreamId bulk = *ends.client.open_stream(false), urgent = *ends.client.open_stream(false);
  ends.client.set_priority(bulk, Priority::kBulk);
  ends.client.set_priority(urgent, Priority::kControl);
  REQUIRE(ends.client.write(bulk, Bytes(200'000)) == 200'000);
  REQUIRE(ends.client.write(urgent, Bytes(200'000)) == 200'000);
  std::size_t urgent_bytes = 0, bulk_bytes = 0;
  for (const YamuxFrame& frame : ends.client.sent()) {
    if (frame.head.type != yamux::FrameType::kData) continue;
    (frame.head.stream == 3 ? urgent_bytes : bulk_bytes) += frame.body.size();
    if (urgent_bytes == 200'000) break;
  }
  CHECK(urgent_bytes == 200'000);
  CHECK(bulk_bytes <= 200'000 / 7 + 16'384);
  CHECK(bulk_bytes > 0);
}
