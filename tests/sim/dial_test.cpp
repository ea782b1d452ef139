#include <catch2/catch.hpp>

#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

const Multiaddr& nowhere() {
  static const Multiaddr address = *Multiaddr::parse("/ip4/11.9.9.9/udp/4001/quic-v1");
  return address;
}

using DialResult = std::optional<Result<ConnectionInfo>>;

DialCallback into(DialResult& result) {
  return [&result](Result<ConnectionInfo> info) { result = std::move(info); };
}

}  // namespace

TEST_CASE("a good address joins a dial of dead ones and saves it") {
  for_seeds(1, "joined dial", [](World& world) {
    const Pair pair = make_pair(world);
    const NodeId other = world.add_node({});
    REQUIRE(world.node(other).add_address(pair.server_id, nowhere()));
    const auto waiting = call(world, other, pair.server_id, "echo", as_bytes("x"));
    world.run_for(milliseconds(100));
    DialResult result;
    world.node(other).dial(world.address(pair.server), into(result));
    world.run_for(seconds(1));
    REQUIRE(result.has_value());
    CHECK(result->has_value());
    CHECK(waiting->ok());
  });
}

TEST_CASE("a replay-safe call reaches a peer that has moved, as any other does") {
  for_seeds(1, "early data and a dead address", [](World& world) {
    world.set_default_link({.delay = milliseconds(20)});
    const Pair pair = make_pair(world);
    REQUIRE(connect(world, pair.client, pair.server_id));
    world.run_for(seconds(2));
    world.node(pair.client).disconnect(pair.server_id);
    world.run_for(seconds(5));
    REQUIRE(world.change_address(world.host(pair.server), "11.5.5.5"));
    const Multiaddr moved = *Multiaddr::parse("/ip4/11.5.5.5/udp/4001/quic-v1");
    REQUIRE(world.node(pair.client).add_address(pair.server_id, moved));
    CHECK(call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes("x"), {.replay_safe = true}).ok());
  });
}

TEST_CASE("an address that worked is tried first the next time") {
  for_seeds(1, "last success first", [](World& world) {
    world.set_default_link({.delay = milliseconds(20)});
    const Pair pair = make_pair(world);
    const NodeId other = world.add_node({});
    Node& node = world.node(other);
    REQUIRE(node.add_address(pair.server_id, nowhere()));
    DialResult result;
    node.dial(world.address(pair.server).without_peer_id(), into(result));  // not known as the peer's
    world.run_for(seconds(3));
    REQUIRE((result && result->has_value()));
    node.disconnect(pair.server_id);
    world.run_for(seconds(3));
    const Instant begin = world.now();
    REQUIRE(connect(world, other, pair.server_id));
    CHECK(world.now() - begin < milliseconds(100));
  });
}

TEST_CASE("a disconnect ends also what was asked before it in the same turn") {
  for_seeds(1, "dial and disconnect", [](World& world) {
    const Pair pair = make_pair(world);
    Node& client = world.node(pair.client);
    DialResult dialed;
    client.dial(pair.server_id, into(dialed));
    const auto called = call(world, pair.client, pair.server_id, "echo", as_bytes("x"));
    client.disconnect(pair.server_id);
    DialResult after;
    world.run_for(seconds(3));
    REQUIRE(dialed.has_value());
    REQUIRE_FALSE(dialed->has_value());
    CHECK(dialed->error().code == Code::kCancelled);
    CHECK(called->ends == 1);
    CHECK(called->outcome.error.code == Code::kCancelled);
    CHECK(client.connections().empty());
    // What is asked after it is not concerned.
    client.disconnect(pair.server_id);
    client.dial(pair.server_id, into(after));
    world.run_for(seconds(3));
    CHECK((after && after->has_value()));
  });
}

TEST_CASE("a node does not dial itself, by name or by chance") {
  for_seeds(1, "self", [](World& world) {
    const NodeId id = world.add_node(listening());
    world.run_for(seconds(1));
    Node& node = world.node(id);
    const Watch events(world, id);
    DialResult named, unnamed;
    node.dial(world.address(id), into(named));
    node.dial(world.address(id).without_peer_id(), into(unnamed));
    const auto called = call(world, id, node.id(), "echo", as_bytes("x"));
    world.run_for(seconds(5));
    for (const DialResult* result : {&named, &unnamed}) {
      REQUIRE(result->has_value());
      REQUIRE_FALSE((*result)->has_value());
      CHECK((*result)->error().code == Code::kInvalidArgument);
    }
    CHECK(called->outcome.error.code == Code::kInvalidArgument);
    CHECK(events.count(NodeEvent::Kind::kConnected) == 0);
    CHECK(node.connections().empty());
  });
}
