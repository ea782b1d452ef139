// Who is not let in, and how a node tells of it.
#include <catch2/catch.hpp>

#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

using Kind = NodeEvent::Kind;

const char* const kRoads[] = {"/ip4/0.0.0.0/udp/4001/quic-v1", "/ip4/0.0.0.0/tcp/4001", "/ip4/0.0.0.0/tcp/4001/ws",
                              "/ip4/0.0.0.0/udp/4001/p2pa-udp"};

bool comes_from(const NodeEvent& event, World& world, NodeId node) {
  const std::string ip = "/ip4/" + world.addresses(world.host(node)).front();
  const std::string said = event.address.to_string();
  return said == ip || said.starts_with(ip + "/");
}

/// The refusal that the server told of a dial of the client's, which is to fail.
NodeEvent refused_dial(World& world, const Pair& pair) {
  const Watch events(world, pair.server);
  CHECK_FALSE(connect(world, pair.client, pair.server_id));
  CHECK(world.run_until([&] { return events.count(Kind::kRefused) > 0; }, seconds(30)));
  const NodeEvent* event = events.last(Kind::kRefused);
  REQUIRE(event != nullptr);
  CHECK(event->count >= 1);
  CHECK(std::string(event->error.why) != "");
  CHECK(comes_from(*event, world, pair.client));
  return *event;
}

}  // namespace

TEST_CASE("who comes from a denied address is told of as refused by a rule, over every road") {
  const std::string road = GENERATE(from_range(std::begin(kRoads), std::end(kRoads)));
  for_seeds(1, "denied address " + road, [&](World& world) {
    const Pair pair = make_pair(world, listening(road));
    REQUIRE(world.node(pair.server).deny(world.addresses(world.host(pair.client)).front()));
    const NodeEvent event = refused_dial(world, pair);
    CHECK(event.error.code == Code::kGated);
    CHECK(event.peer.empty());
  });
}

TEST_CASE("a denied peer is told of with its name, over every road") {
  const std::string road = GENERATE(from_range(std::begin(kRoads), std::end(kRoads)));
  for_seeds(1, "denied peer " + road, [&](World& world) {
    const Pair pair = make_pair(world, listening(road));
    const PeerId peer = world.node(pair.client).id();
    REQUIRE(world.node(pair.server).deny(peer.to_string()));
    const Watch events(world, pair.server);
    (void)connect(world, pair.client, pair.server_id);  // it may believe so for half a round trip
    world.run_for(seconds(2));
    CHECK(events.count(Kind::kConnected) == 0);
    REQUIRE(events.count(Kind::kRefused) == 1);
    CHECK(events.last(Kind::kRefused)->error.code == Code::kGated);
    CHECK(events.last(Kind::kRefused)->peer == peer);
    CHECK(events.last(Kind::kRefused)->count == 1);
  });
}

TEST_CASE("a connection over the bound is told of with the bound's code") {
  for_seeds(1, "over the bound", [](World& world) {
    NodeOptions server = listening();
    server.limits.connections_max = 1;
    const Pair pair = make_pair(world, std::move(server));
    REQUIRE(connect(world, pair.client, pair.server_id));
    const NodeId second = world.add_node({});
    introduce(world, second, pair.server);
    const Watch events(world, pair.server);
    (void)connect(world, second, pair.server_id);
    world.run_for(seconds(2));
    REQUIRE(events.count(Kind::kRefused) == 1);
    CHECK(events.last(Kind::kRefused)->error.code == Code::kLimitConnections);
    CHECK(events.last(Kind::kRefused)->error.detail == 1);
    CHECK(events.last(Kind::kRefused)->peer == world.node(second).id());
  });
}

TEST_CASE("handshakes over the bound are told of by their number") {
  for_seeds(1, "too many handshakes", [](World& world) {
    NodeOptions server = listening("/ip4/0.0.0.0/tcp/4001");
    server.limits.handshakes_max = 1;
    const Pair pair = make_pair(world, std::move(server));
    std::uint64_t told = 0;
    world.on_node_event([&](NodeId node, const NodeEvent& event) {
      if (node != pair.server || event.kind != Kind::kRefused) return;
      CHECK(event.error.code == Code::kLimitHandshakes);
      CHECK(event.error.detail == 1);
      CHECK(event.address.empty());
      told += event.count;
    });
    for (int i = 0; i < 5; ++i) {
      const NodeId client = world.add_node({});
      introduce(world, client, pair.server);
      world.node(client).dial(pair.server_id, [](auto) {});
    }
    world.run_for(seconds(3));
    CHECK(told > 0);
    CHECK(told == world.node(pair.server).limit_counters().refused[LimitCounters::kHandshakes]);
  });
}

TEST_CASE("who has another key of a private network is told of") {
  for_seeds(1, "another key", [](World& world) {
    NodeOptions server = listening("/ip4/0.0.0.0/tcp/4001"), client;
    server.network_key = PreSharedKey::from_bytes(Bytes(PreSharedKey::kSize, 1));
    client.network_key = PreSharedKey::from_bytes(Bytes(PreSharedKey::kSize, 2));
    const NodeEvent event = refused_dial(world, make_pair(world, std::move(server), std::move(client)));
    CHECK(event.error.code != Code::kTimeout);
    CHECK(event.peer.empty());
  });
}

TEST_CASE("who speaks something else is told of") {
  for_seeds(1, "no WebSocket", [](World& world) {
    const Pair pair = make_pair(world, listening("/ip4/0.0.0.0/tcp/4001/ws"));
    const Watch events(world, pair.server);
    const std::string ip = world.addresses(world.host(pair.server)).front();
    std::optional<Error> failed;
    world.node(pair.client).dial(Multiaddr::parse("/ip4/" + ip + "/tcp/4001").value(), [&](auto result) {
      if (!result) failed = result.error();
    });
    CHECK(world.run_until([&] { return failed.has_value(); }, seconds(30)));
    REQUIRE(world.run_until([&] { return events.count(Kind::kRefused) == 1; }, seconds(30)));
    CHECK(events.last(Kind::kRefused)->error.code == Code::kMalformed);
    CHECK(comes_from(*events.last(Kind::kRefused), world, pair.client));
  });
}

TEST_CASE("who falls silent in the handshake is told of when its time is over") {
  const std::string road = GENERATE(from_range(std::begin(kRoads), std::end(kRoads)));
  for_seeds(1, "silent " + road, [&](World& world) {
    world.set_default_link({.delay = milliseconds(10)});
    const Pair pair = make_pair(world, listening(road));
    const Watch events(world, pair.server);
    world.node(pair.client).dial(pair.server_id, [](auto) {});
    const auto began = [&] { return world.node(pair.server).usage().handshakes > 0; };
    REQUIRE(world.run_until(began, seconds(5)));
    world.partition(world.host(pair.client), world.host(pair.server));
    REQUIRE(world.run_until([&] { return events.count(Kind::kRefused) == 1; }, seconds(30)));
    CHECK(events.last(Kind::kRefused)->error.code == Code::kTimeout);
    CHECK(events.last(Kind::kRefused)->peer.empty());
  });
}

TEST_CASE("a flood of refusals is a few events that count all of them") {
  for_seeds(1, "flood", [](World& world) {
    NodeOptions client;
    client.security = {Security::kNoise};  // one try a dial
    const Pair pair = make_pair(world, listening("/ip4/0.0.0.0/tcp/4001"), std::move(client));
    REQUIRE(world.node(pair.server).deny("0.0.0.0/0"));
    std::uint64_t told = 0;
    int events = 0;
    world.on_node_event([&](NodeId node, const NodeEvent& event) {
      if (node != pair.server || event.kind != Kind::kRefused) return;
      ++events;
      told += event.count;
    });
    const Multiaddr address = world.address(pair.server);
    constexpr int kDials = 500;
    int ended = 0;
    std::function<void()> next = [&] {
      world.node(pair.client).dial(address, [&](auto) {
        if (++ended < kDials) next();
      });
    };
    next();
    const Instant begin = world.now();
    REQUIRE(world.run_until([&] { return ended == kDials; }, minutes(10)));
    const std::int64_t took = (world.now() - begin).ns / seconds(1).ns;
    world.run_for(seconds(2));
    CHECK(told == kDials);
    CHECK(events <= took + 2);
  });
}
