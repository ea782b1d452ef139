// What a connection promises, whatever carries it.

#include <catch2/catch.hpp>

#include "conformance/road.hpp"

using namespace p2pa;
using namespace p2pa::test;

namespace {

using Kind = ConnectionEvent::Kind;

std::unique_ptr<Road> any_road() {
  const RoadOptions options = GENERATE(from_range(all_roads()));
  UNSCOPED_INFO(describe(options));
  return make_road(options);
}

}  // namespace

TEST_CASE("both ends of a connection know each other, and say so once") {
  const auto road = any_road();
  Connection& c = road->connect();
  road->run_for(seconds(1));
  Connection& d = road->served();
  CHECK(c.outbound());
  CHECK_FALSE(d.outbound());
  CHECK(c.peer() != d.peer());
  CHECK_FALSE(c.peer().empty());
  CHECK_FALSE(d.peer().empty());
  CHECK(c.remote_address() == d.local_address());
  CHECK(road->client.count(Kind::kEstablished) == 1);
  CHECK(road->server.count(Kind::kEstablished) == 1);
  CHECK(c.id() != 0);
}

TEST_CASE("a close carries its code to the other end, and is the last that both hear") {
  const auto road = any_road();
  Connection& c = road->connect();
  const auto stream = *c.open_stream(false);
  REQUIRE(c.write(stream, as_bytes("hello")) == 5u);
  REQUIRE(road->run_until([&] { return road->server.streams.size() == 1 && road->served_inbox().text == "hello"; }));
  c.close(0x1006, "enough");
  CHECK_FALSE(c.established());
  CHECK(c.open_stream(false).error().code == Code::kInvalidState);
  CHECK_FALSE(c.write(stream, as_bytes("x")));
  c.close(1, "again");
  REQUIRE(road->run_until([&] { return road->client.closed && road->server.closed; }));
  CHECK(road->client.closed->detail == 0x1006);
  CHECK(road->server.closed->code == Code::kConnectionClosed);
  CHECK(road->server.closed->detail == 0x1006);
  road->run_for(seconds(60));
  CHECK(road->client.events.back().first == Kind::kClosed);
  CHECK(road->server.events.back().first == Kind::kClosed);
  CHECK(road->client.count(Kind::kClosed) == 1);
  CHECK(road->server.count(Kind::kClosed) == 1);
  CHECK(road->resources_of(road->client).usage() == LimitUsage{});
  CHECK(road->resources_of(road->server).usage() == LimitUsage{});
}

TEST_CASE("both ends may close at once") {
  const auto road = any_road();
  Connection& c = road->connect();
  c.close(1, "");
  road->served().close(2, "");
  REQUIRE(road->run_until([&] { return road->client.closed && road->server.closed; }));
  CHECK(road->client.closed->detail == 1);
  CHECK(road->server.closed->detail == 2);
}

TEST_CASE("what arrived before a close can still be read when it is told") {
  const auto road = any_road();
  road->server.drain = false;
  Connection& c = road->connect();
  road->request(c, "last words");
  c.ask_delivery();
  REQUIRE(road->run_until([&] { return c.undelivered() == 0 && road->server.streams.size() == 1; }));
  road->run_for(milliseconds(100));
  std::string read;
  road->server.on_event = [&](Instant, const TransportEvent& e) {
    if (e.event.kind != Kind::kClosed) return;
    const StreamId stream = road->server.streams[0];
    for (ByteView bytes; !(bytes = e.connection->peek(stream)).empty(); e.connection->consume(stream, bytes.size())) {
      read += as_text(bytes);
    }
  };
  c.close(0, "");
  REQUIRE(road->run_until([&] { return road->server.closed.has_value(); }));
  CHECK(read == "last words");
}

TEST_CASE("an idle connection stays up, and silence ends it at both ends") {
  const auto road = any_road();
  Connection& c = road->connect();
  road->run_for(seconds(300));
  CHECK(c.established());
  CHECK(road->served().established());
  road->silence(road->server);
  REQUIRE(road->run_until([&] { return road->client.closed && road->server.closed; }, seconds(120)));
  CHECK(road->client.closed->code == Code::kConnectionLost);
  CHECK(road->server.closed->code == Code::kConnectionLost);
}

TEST_CASE("the round trip is measured") {
  const auto road = any_road();
  Connection& c = road->connect();
  road->run_for(seconds(40));
  const ConnectionStats stats = c.stats(road->now);
  CHECK(stats.rtt_min >= road->delay * 2);
  CHECK(stats.rtt <= road->delay * 6);
}

TEST_CASE("a road is the same each time, and its chances are others with another seed") {
  RoadOptions options = GENERATE(from_range(all_roads()));
  UNSCOPED_INFO(describe(options));
  const auto run = [&](std::uint8_t seed) {
    options.seed = seed;
    const auto road = make_road(options);
    road->server.echo = true;
    Connection& c = road->connect();
    const StreamId stream = road->request(c, std::string(100'000, 'x'));
    REQUIRE(road->run_until([&] { return road->client.inbox(c, stream).closed; }));
    return std::pair(road->now, road->client.inbox(c, stream).readable);
  };
  const auto first = run(1);
  CHECK(run(1) == first);
  if (options.wire == WireKind::kRoughWorld) CHECK(run(2) != first);
}
