#include <catch2/catch.hpp>

#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

constexpr Duration kIdle = seconds(10), kMargin = seconds(3);

NodeOptions quick(NodeOptions options) {
  options.idle_timeout = kIdle;
  options.keep_alive = seconds(3);
  return options;
}

}  // namespace

TEST_CASE("who talks to a killed node learns it by silence") {
  for_seeds(3, "kill", [](World& world) {
    const Pair pair = make_pair(world, quick(listening()), quick({}));
    const Watch events(world, pair.client);
    REQUIRE(connect(world, pair.client, pair.server_id));
    world.run_for(seconds(1));
    const auto pending = call(world, pair.client, pair.server_id, "echo", as_bytes("hello"));
    world.kill(pair.server);
    CHECK_FALSE(world.alive(pair.server));
    world.run_for(kIdle + kMargin);
    REQUIRE(events.count(NodeEvent::Kind::kDisconnected) == 1);
    CHECK(events.last(NodeEvent::Kind::kDisconnected)->error.code == Code::kConnectionLost);
    CHECK(pending->ends == 1);
    CHECK(pending->outcome.error.code == Code::kConnectionLost);
  });
}

TEST_CASE("a restarted node is itself again, and resets what it does not remember") {
  for_seeds(3, "restart", [](World& world) {
    const Pair pair = make_pair(world, quick(listening()), quick({}));
    const Watch events(world, pair.client);
    REQUIRE(connect(world, pair.client, pair.server_id));
    world.run_for(seconds(1));
    world.kill(pair.server);
    world.run_for(milliseconds(500));
    world.restart(pair.server, quick(listening()));
    CHECK(world.node(pair.server).id() == pair.server_id);
    serve_echo(world.node(pair.server));

    const Instant begin = world.now();
    const auto stale = call(world, pair.client, pair.server_id, "echo", as_bytes("hello"));
    REQUIRE(world.run_until([&] { return stale->ends > 0; }, kIdle));
    CHECK(stale->outcome.error.code == Code::kConnectionLost);
    CHECK(stale->at - begin < seconds(1));  // by stateless reset, long before the idle time-out
    CHECK(events.count(NodeEvent::Kind::kDisconnected) == 1);

    CHECK(call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes("again")).ok());
  });
}

TEST_CASE("a server forgets a killed client and takes it back") {
  for_seeds(2, "client restart", [](World& world) {
    const Pair pair = make_pair(world, quick(listening()), quick({}));
    const Watch events(world, pair.server);
    REQUIRE(connect(world, pair.client, pair.server_id));
    world.kill(pair.client);
    world.restart(pair.client, quick({}));
    introduce(world, pair.client, pair.server);
    CHECK(call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes("hello")).ok());
    world.run_for(kIdle + kMargin);
    CHECK(events.count(NodeEvent::Kind::kConnected) == 2);
    REQUIRE(events.count(NodeEvent::Kind::kDisconnected) == 1);
    CHECK_FALSE(events.last(NodeEvent::Kind::kDisconnected)->last);
    CHECK(world.node(pair.server).connections().size() == 1);
  });
}

TEST_CASE("a node that closes says goodbye, and everything ends exactly once") {
  for_seeds(2, "close", [](World& world) {
    const Pair pair = make_pair(world);
    const Watch client_events(world, pair.client), server_events(world, pair.server);
    REQUIRE(connect(world, pair.client, pair.server_id));
    world.run_for(seconds(1));
    const auto pending = call(world, pair.client, pair.server_id, "echo", as_bytes("hello"));
    world.run_for({});  // it is under way
    const Instant begin = world.now();
    world.node(pair.client).close();
    REQUIRE(world.run_until([&] { return world.node(pair.client).closed(); }, seconds(5)));
    CHECK(pending->ends == 1);
    CHECK_FALSE(pending->outcome.ok());
    CHECK(client_events.count(NodeEvent::Kind::kClosed) == 1);
    world.run_for(seconds(2));
    REQUIRE(server_events.count(NodeEvent::Kind::kDisconnected) == 1);
    CHECK(server_events.last(NodeEvent::Kind::kDisconnected)->error.code ==
          Code::kConnectionClosed);
    CHECK(server_events.last_at(NodeEvent::Kind::kDisconnected) - begin < milliseconds(100));
  });
}
