#include <catch2/catch.hpp>

#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

constexpr Duration kIdle = seconds(10);
/// Over the idle time-out: round trips and probes before it is noticed.
constexpr Duration kMargin = seconds(3);

NodeOptions quick(NodeOptions options) {
  options.idle_timeout = kIdle;
  options.keep_alive = seconds(3);
  return options;
}

struct Connected : Pair {
  Watch server_events, client_events;
};

Connected connected_pair(World& world) {
  const Pair pair = make_pair(world, quick(listening()), quick({}));
  Connected out{pair, Watch(world, pair.server), Watch(world, pair.client)};
  REQUIRE(connect(world, pair.client, pair.server_id));
  world.run_for(seconds(1));
  return out;
}

}  // namespace

TEST_CASE("a connection survives a partition shorter than its idle time-out") {
  for_seeds(3, "short partition", [](World& world) {
    const Connected pair = connected_pair(world);
    world.partition(world.host(pair.server), world.host(pair.client));
    const auto answer = call(world, pair.client, pair.server_id, "echo", as_bytes("hello"));
    world.run_for(kIdle / 2);
    CHECK(answer->ends == 0);
    world.heal(world.host(pair.server), world.host(pair.client));
    REQUIRE(world.run_until([&] { return answer->ends > 0; }, seconds(20)));
    CHECK(answer->ok());
    CHECK(pair.client_events.count(NodeEvent::Kind::kConnected) == 1);
    CHECK(pair.client_events.count(NodeEvent::Kind::kDisconnected) == 0);
    CHECK(pair.server_events.count(NodeEvent::Kind::kDisconnected) == 0);
  });
}

TEST_CASE("a longer partition costs the connection on both ends") {
  for_seeds(3, "long partition", [](World& world) {
    const Connected pair = connected_pair(world);
    const Instant cut = world.now();
    world.partition(world.host(pair.server), world.host(pair.client));
    const auto answer = call(world, pair.client, pair.server_id, "echo", as_bytes("hello"));
    world.run_for(kIdle + kMargin);
    for (const Watch* events : {&pair.server_events, &pair.client_events}) {
      REQUIRE(events->count(NodeEvent::Kind::kDisconnected) == 1);
      CHECK(events->last(NodeEvent::Kind::kDisconnected)->error.code == Code::kConnectionLost);
      CHECK(events->last(NodeEvent::Kind::kDisconnected)->last);
      CHECK(events->last_at(NodeEvent::Kind::kDisconnected) - cut >= kIdle - seconds(3));
    }
    CHECK(answer->ends == 1);
    CHECK(answer->outcome.error.code == Code::kConnectionLost);

    world.heal(world.host(pair.server), world.host(pair.client));
    CHECK(call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes("again")).ok());
  });
}

TEST_CASE("keep-alive holds an idle connection, and without it silence ends it") {
  for_seeds(1, "idle", [](World& world) {
    const Connected pair = connected_pair(world);
    world.run_for(minutes(5));
    CHECK(pair.client_events.count(NodeEvent::Kind::kDisconnected) == 0);
  });
  for_seeds(1, "idle without keep-alive", [](World& world) {
    NodeOptions server = quick(listening()), client = quick({});
    server.keep_alive = client.keep_alive = {};
    const Pair pair = make_pair(world, std::move(server), std::move(client));
    const Watch events(world, pair.client);
    REQUIRE(connect(world, pair.client, pair.server_id));
    world.run_for(kIdle + kMargin);
    REQUIRE(events.count(NodeEvent::Kind::kDisconnected) == 1);
    CHECK(events.last(NodeEvent::Kind::kDisconnected)->error.code == Code::kConnectionLost);
  });
}

TEST_CASE("a peer that cannot be reached is given up after the handshake time-out") {
  for_seeds(1, "unreachable", [](World& world) {
    const Pair pair = make_pair(world);
    world.partition(world.host(pair.server), world.host(pair.client));
    const Instant begin = world.now();
    const Answer answer =
        call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes("hello"));
    CHECK(answer.ends == 1);
    CHECK(answer.outcome.error.code == Code::kUnreachable);
    CHECK(answer.at - begin <= seconds(11));
  });
}
