// Nodes over TCP in the world: round trips, loss, dead peers, and which road is taken.

#include <catch2/catch.hpp>

#include "node/impl.hpp"
#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

constexpr Duration kRtt = milliseconds(100);

NodeOptions over_tcp(Security security = Security::kNoise) {
  NodeOptions options = listening("/ip4/0.0.0.0/tcp/4001");
  options.security = {security};
  return options;
}

NodeOptions dialer(Security security = Security::kNoise) {
  NodeOptions options;
  options.security = {security};
  return options;
}

NodeOptions quick(NodeOptions options) {
  options.idle_timeout = seconds(10);
  options.keep_alive = seconds(3);
  return options;
}

Duration time_to_answer(World& world, const Pair& pair) {
  const Instant begin = world.now();
  const Answer answer = call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes("hello"));
  CHECK(answer.ok());
  CHECK(as_text(answer.bytes) == "hello");
  return answer.at - begin;
}

bool is_tcp(const Multiaddr& address) { return address.has(Multiaddr::Protocol::kTcp); }

}  // namespace

TEST_CASE("the first answer over TCP takes three round trips, by Noise and by TLS", "[tcp]") {
  const Security security = GENERATE(Security::kNoise, Security::kTls);
  for_seeds(2, "cold call over TCP", [security](World& world) {
    world.set_default_link({.delay = kRtt / 2});
    const Pair pair = make_pair(world, over_tcp(security), dialer(security));
    CHECK(time_to_answer(world, pair).us() == (kRtt * 3).us());
    CHECK(time_to_answer(world, pair).us() == kRtt.us());
  });
}

TEST_CASE("what the other end does not have costs a second dial, and nothing else", "[tcp]") {
  for_seeds(1, "security that is refused", [](World& world) {
    world.set_default_link({.delay = kRtt / 2});
    NodeOptions client;
    client.security = {Security::kNoise, Security::kTls};
    const Pair pair = make_pair(world, over_tcp(Security::kTls), std::move(client));
    const Watch events(world, pair.server);
    CHECK(time_to_answer(world, pair).us() == (kRtt * 5).us());
    world.run_for(seconds(20));
    CHECK(events.count(NodeEvent::Kind::kConnected) == 1);
    CHECK(world.node(pair.server).connections().size() == 1);
    CHECK(world.node(pair.server).core().resources().usage().handshakes == 0);
  });
}

TEST_CASE("no security in common is said", "[tcp]") {
  for_seeds(1, "no security in common", [](World& world) {
    const Pair pair = make_pair(world, over_tcp(Security::kTls), dialer(Security::kNoise));
    const Answer answer = call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes("hello"));
    CHECK(answer.ends == 1);
    CHECK(answer.outcome.error.code == Code::kProtocolUnsupported);
  });
}

TEST_CASE("large calls in both directions come whole over a bad network", "[tcp]") {
  const Security security = GENERATE(Security::kNoise, Security::kTls);
  for_seeds(3, "bulk over bad TCP", [security](World& world) {
    world.set_default_link({.delay = milliseconds(20),
                            .jitter = milliseconds(5),
                            .loss = 0.02,
                            .duplicate = 0.01,
                            .reorder = 0.02,
                            .reorder_delay = milliseconds(10)});
    const Pair pair = make_pair(world, over_tcp(security), dialer(security));
    std::vector<std::shared_ptr<Answer>> answers;
    for (std::uint32_t i = 0; i < 8; ++i) {
      answers.push_back(call(world, pair.client, pair.server_id, "echo", pattern(200'000 + i, i)));
    }
    REQUIRE(world.run_until(
        [&] { return std::ranges::all_of(answers, [](const auto& a) { return a->ends > 0; }); }, minutes(5)));
    for (std::uint32_t i = 0; i < 8; ++i) {
      CHECK(answers[i]->ok());
      CHECK(answers[i]->bytes == pattern(200'000 + i, i));
    }
    CHECK(world.node(pair.client).connections().size() == 1);
  });
}

TEST_CASE("a peer that fell silent is lost after the idle time-out, and found again", "[tcp]") {
  for_seeds(2, "silence over TCP", [](World& world) {
    const Pair pair = make_pair(world, quick(over_tcp()), quick(dialer()));
    const Watch server_events(world, pair.server), client_events(world, pair.client);
    time_to_answer(world, pair);
    world.partition(world.host(pair.server), world.host(pair.client));
    world.run_for(seconds(14));
    for (const Watch* events : {&server_events, &client_events}) {
      REQUIRE(events->count(NodeEvent::Kind::kDisconnected) == 1);
      CHECK(events->last(NodeEvent::Kind::kDisconnected)->error.code == Code::kConnectionLost);
    }
    world.heal(world.host(pair.server), world.host(pair.client));
    time_to_answer(world, pair);
  });
}

TEST_CASE("a server that was killed and restarted is called again", "[tcp]") {
  for_seeds(2, "server restart over TCP", [](World& world) {
    const Pair pair = make_pair(world, quick(over_tcp()), quick(dialer()));
    time_to_answer(world, pair);
    world.kill(pair.server);
    world.restart(pair.server, quick(over_tcp()));
    serve_echo(world.node(pair.server));
    world.run_for(seconds(15));  // a ping of ours meets the reset
    CHECK(world.node(pair.client).connections().empty());
    time_to_answer(world, pair);
  });
}

TEST_CASE("what a node reported as sent over TCP arrives although it closes at once", "[tcp]") {
  for_seeds(2, "notify and close over TCP", [](World& world) {
    world.set_default_link({.delay = milliseconds(20), .loss = 0.01});
    for (const std::size_t size : {std::size_t{10}, std::size_t{100'000}, std::size_t{1'000'000}}) {
      const NodeId server = world.add_node(over_tcp()), client = world.add_node(dialer());
      introduce(world, client, server);
      std::size_t arrived = 0;
      REQUIRE(world.node(server).serve("log", UnaryMethod([&arrived](const PeerId&, ByteView message) {
        arrived += message.size();
        return std::expected<Bytes, ApplicationError>(Bytes{});
      })));
      std::optional<bool> sent;
      world.node(client).notify(world.node(server).id(), "log", pattern(size, 1), [&](const CallOutcome& outcome) {
        sent = outcome.ok();
        world.node(client).close();
      });
      REQUIRE(world.run_until([&] { return sent && world.node(client).closed(); }, minutes(1)));
      CHECK(*sent);
      CHECK(arrived == size);
    }
  });
}

TEST_CASE("where UDP does not get through, TCP does, a head start later", "[tcp]") {
  for_seeds(1, "UDP is blocked", [](World& world) {
    world.set_default_link({.delay = kRtt / 2});
    NodeOptions both = listening();
    both.listen.push_back(*Multiaddr::parse("/ip4/0.0.0.0/tcp/4001"));
    const NodeId server = world.add_node(std::move(both)), client = world.add_node({});
    serve_echo(world.node(server));
    REQUIRE(world.run_until([&] { return world.node(server).addresses().size() == 2; }, seconds(1)));
    const PeerId id = world.node(server).id();
    for (const Multiaddr& address : world.node(server).addresses()) {
      REQUIRE(world.node(client).add_address(id, address));
    }
    const bool blocked = GENERATE(false, true);
    world.on_datagram([blocked](const Datagram&) { return !blocked; });
    const Instant begin = world.now();
    const Answer answer = call_and_wait(world, client, id, "echo", as_bytes("hello"));
    CHECK(answer.ok());
    REQUIRE(world.node(client).connections().size() == 1);
    CHECK(is_tcp(world.node(client).connections()[0].remote_address) == blocked);
    const Duration expected = blocked ? swarm::kDialStagger + kRtt * 3 : kRtt * 2;
    CHECK((answer.at - begin).us() == expected.us());
  });
}

TEST_CASE("handshakes that come to nothing leave nothing", "[tcp]") {
  for_seeds(1, "slow handshakes", [](World& world) {
    NodeOptions server = over_tcp(Security::kTls);
    server.limits.handshakes_per_ip_max = 8;
    const Pair pair = make_pair(world, std::move(server), dialer(Security::kNoise));
    // Noise where TLS is awaited is refused each time. (The other way round the randomness of GnuTLS, which is
    // not the world's, would be read as multistream.)
    for (int i = 0; i < 20; ++i) {
      CHECK_FALSE(call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes("x")).ok());
    }
    world.run_for(seconds(12));
    CHECK(world.node(pair.server).core().resources().usage() == LimitUsage{});
  });
}

TEST_CASE("a node that closes leaves no socket behind, not even of a handshake that had begun", "[tcp]") {
  for_seeds(1, "close amid handshakes over TCP", [](World& world) {
    world.set_default_link({.delay = kRtt / 2});
    const Pair pair = make_pair(world, over_tcp(), dialer());
    const auto answer = call(world, pair.client, pair.server_id, "echo", as_bytes("x"));
    world.run_for(kRtt * 5 / 4);  // the server has accepted, and heard nothing yet
    CHECK(world.node(pair.server).core().resources().usage().handshakes <= 1);
    world.node(pair.server).close();
    REQUIRE(world.run_until([&] { return world.node(pair.server).closed(); }, seconds(5)));
    CHECK(world.node(pair.server).core().resources().usage().handshakes == 0);
    REQUIRE(world.run_until([&] { return answer->ends == 1; }, seconds(30)));
    CHECK_FALSE(answer->ok());
  });
}
