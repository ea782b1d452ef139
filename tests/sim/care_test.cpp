// Connections that look after themselves: duplicates, silence, change of network, watermarks, rules.
#include <catch2/catch.hpp>

#include <algorithm>

#include "node_road.hpp"
#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

const char* const kQuic = "/ip4/0.0.0.0/udp/4001/quic-v1";
const char* const kTcp = "/ip4/0.0.0.0/tcp/4001";

constexpr LinkOptions kLan{.delay = microseconds(500)};

/// Runs until the node has said that a connection is gone; when that was, after `begin`.
Duration lost_after(World& world, const Watch& events, Instant begin, Duration limit) {
  const auto lost = [&] { return events.count(NodeEvent::Kind::kDisconnected) > 0; };
  return world.run_until(lost, limit) ? world.now() - begin : limit;
}

}  // namespace

TEST_CASE("two peers that dial each other at once end with one connection, and no call is lost") {
  for_seeds(5, "simultaneous dials", [](World& world) {
    world.set_default_link({.delay = milliseconds(20), .jitter = milliseconds(15), .loss = 0.02});
    const Pair pair = make_pair(world, listening(), listening());
    serve_echo(world.node(pair.client));
    introduce(world, pair.server, pair.client);
    const PeerId client_id = world.node(pair.client).id();
    std::vector<std::shared_ptr<Answer>> answers;
    for (int i = 0; i < 200; ++i) {
      world.after(milliseconds(60 * i), [&, i] {
        const auto request = pattern(2'000, static_cast<std::uint32_t>(i));
        answers.push_back(call(world, pair.client, pair.server_id, "echo", request));
        answers.push_back(call(world, pair.server, client_id, "echo", request));
      });
    }
    world.run_for(seconds(2));
    CHECK(world.node(pair.client).connections().size() == 2);
    world.run_for(seconds(40));
    CHECK(world.node(pair.client).connections().size() == 1);
    CHECK(world.node(pair.server).connections().size() == 1);
    CHECK(answers.size() == 400);
    CHECK(std::ranges::count_if(answers, [](const auto& a) { return a->ok(); }) == 400);
  });
}

TEST_CASE("a peer that vanishes from a quiet link in a house is missed within three seconds") {
  for (const NodeRoad& road : node_roads()) {
    for_seeds(2, "vanished " + road.name, [&](World& world) {
      world.set_default_link(kLan);
      const Pair pair = make_pair(world, road);
      const Watch client(world, pair.client), server(world, pair.server);
      REQUIRE(connect(world, pair.client, pair.server_id));
      world.run_for(seconds(60));
      CHECK(client.count(NodeEvent::Kind::kDisconnected) == 0);
      const Instant gone = world.now();
      world.partition(world.host(pair.client), world.host(pair.server));
      CHECK(lost_after(world, client, gone, seconds(60)) < seconds(3));
      REQUIRE(client.count(NodeEvent::Kind::kDisconnected) == 1);
      CHECK(client.last(NodeEvent::Kind::kDisconnected)->error.code == Code::kConnectionLost);
      world.run_until([&] { return server.count(NodeEvent::Kind::kDisconnected) == 1; }, seconds(60));
      CHECK(world.now() - gone < seconds(3));
    });
  }
}

TEST_CASE("a peer far away that somebody waits for is missed too, with more patience") {
  for_seeds(2, "a call under way", [](World& world) {
    world.set_default_link({.delay = milliseconds(40)});
    const Pair pair = make_pair(world);
    std::vector<CallId> held;
    REQUIRE(world.node(pair.server).serve("hold", Method([&](Call& c) { held.push_back(c.id()); })));
    const auto waiting = call(world, pair.client, pair.server_id, "hold", as_bytes("x"), {.deadline = {}});
    world.run_for(seconds(10));
    const Instant gone = world.now();
    world.partition(world.host(pair.client), world.host(pair.server));
    CHECK(world.run_until([&] { return waiting->ends > 0; }, seconds(60)));
    CHECK(world.now() - gone < seconds(10));
    CHECK(world.now() - gone > seconds(5));
    CHECK(waiting->outcome.error.code == Code::kConnectionLost);
  });
}

TEST_CASE("a peer that is merely slow is not missed") {
  for (const NodeRoad& road : node_roads()) {
    for_seeds(2, "slow " + road.name, [&](World& world) {
      world.set_default_link(kLan);
      const Pair pair = make_pair(world, road);
      const Watch client(world, pair.client), server(world, pair.server);
      REQUIRE(connect(world, pair.client, pair.server_id));
      world.run_for(seconds(20));
      world.set_default_link({.delay = seconds(1)});
      world.run_for(seconds(60));
      world.set_default_link({.delay = seconds(1), .loss = 0.3});
      world.run_for(seconds(60));
      CHECK(client.count(NodeEvent::Kind::kDisconnected) == 0);
      CHECK(server.count(NodeEvent::Kind::kDisconnected) == 0);
    });
  }
}

TEST_CASE("a third of everything lost is no reason to give a peer up") {
  for (const NodeRoad& road : node_roads()) {
    for_seeds(1, "loss " + road.name, [&](World& world) {
      world.set_default_link(kLan);
      const Pair pair = make_pair(world, road);
      const Watch client(world, pair.client), server(world, pair.server);
      REQUIRE(connect(world, pair.client, pair.server_id));
      world.run_for(seconds(5));
      world.set_default_link({.delay = microseconds(500), .loss = 0.3});
      world.run_for(minutes(3));
      CHECK(client.count(NodeEvent::Kind::kDisconnected) == 0);
      CHECK(server.count(NodeEvent::Kind::kDisconnected) == 0);
    });
  }
}

TEST_CASE("without a heartbeat silence is noticed when the idle time-out is over") {
  for_seeds(1, "no heartbeat", [](World& world) {
    world.set_default_link(kLan);
    NodeOptions server = listening(), client;
    server.heartbeat = client.heartbeat = {};
    const Pair pair = make_pair(world, std::move(server), std::move(client));
    const Watch events(world, pair.client);
    REQUIRE(connect(world, pair.client, pair.server_id));
    world.run_for(seconds(5));
    const Instant gone = world.now();
    world.partition(world.host(pair.client), world.host(pair.server));
    CHECK(lost_after(world, events, gone, seconds(60)) > seconds(15));
  });
}

TEST_CASE("a kept peer is back within two seconds of a change of address") {
  for (const char* listen : {kQuic, kTcp}) {
    for_seeds(3, std::string("moved ") + listen, [&](World& world) {
      world.set_default_link({.delay = milliseconds(20)});
      const Pair pair = make_pair(world, listening(listen));
      REQUIRE(world.node(pair.client).keep(pair.server_id).has_value());
      world.run_for(seconds(30));
      REQUIRE(world.node(pair.client).connections().size() == 1);
      const HostId host = world.host(pair.client);
      REQUIRE(world.change_address(host, "198.51.100.7"));
      world.tell_interfaces(host);
      const auto echo = [&] { return call(world, pair.client, pair.server_id, "echo", as_bytes("x")); };
      std::shared_ptr<Answer> last;
      const Instant moved = world.now();
      world.run_for(milliseconds(1));
      CHECK(world.run_until(
          [&] {
            if (last && last->ok()) return true;
            if (!last || last->ends > 0) last = echo();
            return false;
          },
          seconds(30)));
      CHECK(world.now() - moved < seconds(2));
    });
  }
}

TEST_CASE("a kept peer that was away is dialed until it is there") {
  for_seeds(3, "away", [](World& world) {
    const Pair pair = make_pair(world);
    const Watch events(world, pair.client);
    REQUIRE(world.node(pair.client).keep(pair.server_id).has_value());
    world.run_for(seconds(5));
    REQUIRE(events.count(NodeEvent::Kind::kConnected) == 1);
    world.kill(pair.server);
    world.run_for(minutes(2));
    CHECK(world.node(pair.client).connections().empty());
    world.restart(pair.server, listening());
    CHECK(world.run_until([&] { return events.count(NodeEvent::Kind::kConnected) == 2; }, seconds(90)));
    // Who disconnects does not want it back.
    world.node(pair.client).disconnect(pair.server_id);
    world.run_for(minutes(2));
    CHECK(world.node(pair.client).connections().empty());
    CHECK(events.count(NodeEvent::Kind::kConnected) == 2);
  });
}

TEST_CASE("over the high water mark those go that nobody wants") {
  for_seeds(2, "watermarks", [](World& world) {
    NodeOptions options = listening();
    options.low_water = 3;
    options.high_water = 5;
    options.grace = seconds(5);
    const NodeId hub = world.add_node(std::move(options));
    std::vector<NodeId> others;
    for (int i = 0; i < 6; ++i) others.push_back(world.add_node({}));
    REQUIRE(world.node(hub).protect(world.node(others[0]).id(), "mine").has_value());
    REQUIRE(world.node(hub).set_value(world.node(others[3]).id(), "useful", 5).has_value());
    const PeerId hub_id = world.node(hub).id();
    for (const NodeId other : others) {
      introduce(world, other, hub);
      REQUIRE(connect(world, other, hub_id));
    }
    world.run_for(seconds(30));
    const auto has = [&](NodeId n) { return !world.node(n).connections().empty(); };
    CHECK(world.node(hub).connections().size() == 3);
    CHECK(has(others[0]));
    CHECK(has(others[3]));
  });
}

TEST_CASE("a rule ends what it forbids while the node runs, and keeps it out") {
  for_seeds(2, "gate", [](World& world) {
    const Pair pair = make_pair(world);
    Node& server = world.node(pair.server);
    const Watch client(world, pair.client), at_server(world, pair.server);
    REQUIRE(connect(world, pair.client, pair.server_id));
    world.run_for(seconds(1));
    const std::string client_id = world.node(pair.client).id().to_string();
    REQUIRE(server.deny(client_id).has_value());
    world.run_for(seconds(1));
    REQUIRE(at_server.count(NodeEvent::Kind::kDisconnected) == 1);
    CHECK(at_server.last(NodeEvent::Kind::kDisconnected)->error.code == Code::kGated);
    REQUIRE(client.count(NodeEvent::Kind::kDisconnected) == 1);
    CHECK(client.last(NodeEvent::Kind::kDisconnected)->error.detail == 0x1007);
    const Answer refused = call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes("x"));
    CHECK_FALSE(refused.ok());
    REQUIRE(server.forget_rule(client_id).has_value());
    CHECK(call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes("x")).ok());

    // Its own dials are held to the rules too.
    Node& dialer = world.node(pair.client);
    dialer.disconnect(pair.server_id);
    world.run_for(seconds(1));
    REQUIRE(dialer.deny(world.addresses(world.host(pair.server))[0]).has_value());
    Error why{};
    dialer.dial(pair.server_id, [&](Result<ConnectionInfo> r) { why = r.error(); });
    world.run_for(seconds(5));
    CHECK(why.code == Code::kGated);
  });
}

TEST_CASE("from a denied range no handshake is taken, and an allow list lets in whom it names") {
  for_seeds(1, "ranges", [](World& world) {
    const Pair pair = make_pair(world);
    Node& server = world.node(pair.server);
    const std::string range = world.addresses(world.host(pair.client))[0] + "/32";
    REQUIRE(server.deny(range).has_value());
    // Each call by a dial of its own: the address is not left alone any more for the one before.
    const auto called = [&] {
      world.run_for(seconds(10));
      return call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes("x")).ok();
    };
    CHECK_FALSE(called());
    REQUIRE(server.forget_rule(range).has_value());
    server.allow_only(true);
    CHECK_FALSE(called());
    REQUIRE(server.allow(world.node(pair.client).id().to_string()).has_value());
    CHECK(called());
    CHECK(server.forget_rule(range).error().code == Code::kNotFound);
    CHECK(server.deny("no rule").error().code == Code::kInvalidArgument);
    CHECK(server.allow("/a/1").error().code == Code::kInvalidArgument);
  });
}

TEST_CASE("a denied protocol ends its streams and is served no more") {
  for_seeds(1, "protocol", [](World& world) {
    const Pair pair = make_pair(world);
    Node& server = world.node(pair.server);
    std::vector<Error> ends;
    REQUIRE(server.handle_protocol("/test/1", [&](AgentStream& s) {
      s.set_handler({.on_end = [&](AgentStream&, const Error& why) { ends.push_back(why); }});
    }));
    int opened = 0;
    const auto open = [&] {
      world.node(pair.client).open_stream(pair.server_id, "/test/1", [&](Result<AgentStream*> s) {
        if (!s) return;
        ++opened;
        (*s)->set_handler({});
      });
      world.run_for(seconds(2));
    };
    open();
    CHECK(opened == 1);
    REQUIRE(server.deny("/test/1").has_value());
    world.run_for(seconds(1));
    REQUIRE(ends.size() == 1);
    CHECK(ends[0].code == Code::kGated);
    open();
    CHECK(ends.size() == 1);  // no stream of it reached the handler
    CHECK(call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes("x")).ok());
  });
}

TEST_CASE("a connection says how good it is") {
  for_seeds(1, "quality", [](World& world) {
    world.set_default_link({.delay = milliseconds(25)});
    const Pair pair = make_pair(world);
    REQUIRE(connect(world, pair.client, pair.server_id));
    for (int i = 0; i < 50; ++i) {
      CHECK(call_and_wait(world, pair.client, pair.server_id, "echo", pattern(20'000, 1)).ok());
      (void)world.node(pair.client).connections();
    }
    const ConnectionInfo info = world.node(pair.client).connections().at(0);
    CHECK(info.rtt >= milliseconds(50));
    CHECK(info.score > 0.3);
    CHECK(info.score < 1);
    CHECK(info.throughput > 10'000);
    CHECK(info.loss < 0.02);  // what tries larger packets looks the same
    CHECK(info.age > seconds(2));
    CHECK(world.node(pair.client).choose_peer({pair.server_id}) == pair.server_id);
  });
}
