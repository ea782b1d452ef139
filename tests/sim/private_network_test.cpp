// Private networks in the world: who has the key is served, who has not gets nowhere and learns nothing.

#include <catch2/catch.hpp>

#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

constexpr Duration kRtt = milliseconds(100);

PreSharedKey key_of(std::uint8_t byte) { return PreSharedKey::from_bytes(Bytes(PreSharedKey::kSize, byte)); }

NodeOptions with_key(NodeOptions options, std::uint8_t byte) {
  options.network_key = key_of(byte);
  return options;
}

NodeOptions server(std::uint8_t key) { return with_key(listening("/ip4/0.0.0.0/tcp/4001"), key); }

}  // namespace

TEST_CASE("nodes with one key speak to each other, and the key costs no round trip", "[pnet]") {
  const Security security = GENERATE(Security::kNoise, Security::kTls);
  for_seeds(2, "one key", [security](World& world) {
    world.set_default_link({.delay = kRtt / 2});
    NodeOptions client = with_key({}, 1);
    client.security = {security};
    const Pair pair = make_pair(world, server(1), std::move(client));
    const Instant begin = world.now();
    const Answer answer = call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes("hello"));
    REQUIRE(answer.ok());
    CHECK(as_text(answer.bytes) == "hello");
    CHECK((answer.at - begin).us() == (kRtt * 3).us());
  });
}

TEST_CASE("large calls come whole through a private network", "[pnet]") {
  for_seeds(2, "much under one key", [](World& world) {
    world.set_default_link({.delay = milliseconds(10), .loss = 0.01});
    const Pair pair = make_pair(world, server(1), with_key({}, 1));
    const std::string much(300'000, 'm');
    const Answer answer = call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes(much));
    REQUIRE(answer.ok());
    CHECK(as_text(answer.bytes) == much);
  });
}

TEST_CASE("a node without the key, or with another, gets nowhere", "[pnet]") {
  const bool other_key = GENERATE(false, true);
  const bool reversed = GENERATE(false, true);  // the one in the network dials
  for_seeds(2, "no key", [&](World& world) {
    const NodeOptions open = other_key ? with_key({}, 2) : NodeOptions{};
    NodeOptions outside = reversed ? listening("/ip4/0.0.0.0/tcp/4001") : NodeOptions{};
    outside.network_key = open.network_key;
    NodeOptions inside = reversed ? with_key({}, 1) : server(1);
    const Pair pair = reversed ? make_pair(world, std::move(outside), std::move(inside))
                               : make_pair(world, std::move(inside), std::move(outside));
    const Watch events(world, pair.server);
    const Answer answer = call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes("hello"));
    CHECK_FALSE(answer.ok());
    CHECK(answer.ends == 1);
    world.run_for(seconds(20));
    CHECK(events.count(NodeEvent::Kind::kConnected) == 0);
    CHECK(world.node(pair.server).usage().handshakes == 0);
    CHECK(world.node(pair.client).connections().empty());
  });
}

TEST_CASE("a private network neither listens on QUIC and UDP sessions nor dials them", "[pnet]") {
  const std::string listen = std::string("/ip4/0.0.0.0/udp/4001/") + GENERATE(as<std::string>{}, "quic-v1", "p2pa-udp");
  for_seeds(1, "no QUIC", [&](World& world) {
    const NodeId node = world.add_node(with_key(listening(listen), 1));
    const Watch events(world, node);
    const Pair pair = make_pair(world, listening(listen), with_key({}, 1));
    const Answer answer = call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes("hello"));
    CHECK_FALSE(answer.ok());
    CHECK(events.count(NodeEvent::Kind::kListenFailed) == 1);
    CHECK(events.count(NodeEvent::Kind::kListening) == 0);
  });
}
