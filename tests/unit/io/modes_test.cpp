// One scenario, whoever waits for the network.

#include <poll.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <functional>
#include <mutex>

#include "by_descriptor.hpp"
#include "io/entropy.hpp"
#include "io/uv_driver.hpp"
#include "p2pagents/sim.hpp"
#include "scenario.hpp"

namespace p2pa::io {
namespace {

constexpr const char* kQuic = "/ip4/127.0.0.1/udp/0/quic-v1";
constexpr const char* kSession = "/ip4/127.0.0.1/udp/0/p2pa-udp";
constexpr const char* kTcp = "/ip4/127.0.0.1/tcp/0";
constexpr Duration kPatience = seconds(20);  // for a machine that is busy; never reached otherwise

std::unique_ptr<Node> open(NodeOptions options, const DriverOptions& driver_options) {
  std::array<std::uint8_t, 32> seed;
  REQUIRE(fill_entropy(seed).has_value());
  auto core = std::make_unique<NodeCore>(std::move(options), seed, unix_time(), UvLoop::now());
  auto driver = make_uv_driver(*core, driver_options);
  REQUIRE(driver.has_value());
  return std::make_unique<Node>(std::move(core), std::move(*driver));
}

struct Pair {
  explicit Pair(const char* listen, const DriverOptions& options = {})
      : server(open(agent_options(1, listen), options)), client(open(agent_options(2), options)) {
    scenario.set_up_server(*server);
    scenario.set_up_client(*client, server->id(), server->addresses().at(0));
  }
  Scenario scenario;
  std::unique_ptr<Node> server, client;
};

using Logs = std::pair<Log, Log>;

Logs logs_of(const Scenario& scenario) { return {scenario.server, scenario.client}; }

/// As a game does: poll() now and then.
Logs run_by_poll(const char* listen = kQuic, const DriverOptions& options = {}) {
  Pair pair(listen, options);
  const Instant end = UvLoop::now() + kPatience;
  while (!pair.scenario.over() && UvLoop::now() < end) {
    REQUIRE(pair.server->poll(microseconds(200)).has_value());
    REQUIRE(pair.client->poll(microseconds(200)).has_value());
  }
  return logs_of(pair.scenario);
}

/// With the smallest budget there is: whatever poll() leaves undone, the next one does.
Logs run_by_single_turns(const char* listen) {
  Pair pair(listen);
  const Instant end = UvLoop::now() + kPatience;
  while (!pair.scenario.over() && UvLoop::now() < end) {
    for (Node* node : {pair.server.get(), pair.client.get()}) {
      const auto turns = node->poll(Duration{0}, 1);
      REQUIRE(turns.has_value());
      CHECK(*turns <= 1);
    }
  }
  return logs_of(pair.scenario);
}

Logs run_by_descriptor(const char* listen) {
  Pair pair(listen);
  Node* const nodes[] = {pair.server.get(), pair.client.get()};
  test::run_by_descriptor(nodes, UvLoop::now() + kPatience, [&] { return pair.scenario.over(); });
  return logs_of(pair.scenario);
}

/// Threads of the library; this one only looks whether they are done.
Logs run_by_thread(const char* listen) {
  Pair pair(listen);
  REQUIRE(pair.server->start_thread().has_value());
  REQUIRE(pair.client->start_thread().has_value());
  const Instant end = UvLoop::now() + kPatience;
  while (!pair.scenario.over() && UvLoop::now() < end) ::poll(nullptr, 0, 1);
  pair.client->stop_thread();
  pair.server->stop_thread();
  return logs_of(pair.scenario);
}

Logs run_in_world(const char* listen) {
  sim::World world(1, "modes");
  Scenario scenario;
  const auto server = world.add_node(agent_options(1, listen));
  const auto client = world.add_node(agent_options(2));
  scenario.set_up_server(world.node(server));
  world.run_for(milliseconds(1));  // it listens now
  scenario.set_up_client(world.node(client), world.node(server).id(), world.address(server));
  world.run_until([&] { return scenario.over(); }, seconds(60));
  CHECK(world.failure().empty());
  return logs_of(scenario);
}

TEST_CASE("the scenario is what it is meant to be") {
  const auto [server, client] = run_by_poll();
  const std::string a = KeyPair::from_seed(Bytes(KeyPair::kSeedSize, 1)).peer_id().to_string();
  const std::string b = KeyPair::from_seed(Bytes(KeyPair::kSeedSize, 2)).peer_id().to_string();
  CHECK(client.outcomes ==
        std::vector<std::string>{"dial: ok", "echo: ok 5 bytes, first hello",
                                 "large: ok 300000 bytes, first xxxxxxxx",
                                 "refuse: application not today", "nobody: no_such_method",
                                 "chat message: a", "chat message: aaa", "chat: ok"});
  REQUIRE(client.events.size() == 5);
  CHECK(client.events[0] == "dialed " + a);
  CHECK(client.events[1] == "connected " + a);
  CHECK(client.events[2] == "identified " + a);
  CHECK(client.events[3].starts_with("disconnected " + a + " last"));
  CHECK(client.events[4] == "closed");
  REQUIRE(server.events.size() == 5);
  CHECK(server.events[0] == "listening");
  CHECK(server.events[1] == "connected " + b);
  CHECK(server.events[2] == "identified " + b);
  CHECK(server.events[3].starts_with("disconnected " + b + " last"));
  CHECK(server.events[4] == "closed");
}

TEST_CASE("over QUIC, UDP sessions and TCP, in every mode and in the world: the same events and outcomes") {
  const Logs expected = run_by_poll();
  const auto same = [&](const char* mode, const Logs& logs) {
    CAPTURE(mode);
    CHECK(logs.first.events == expected.first.events);
    CHECK(logs.second.events == expected.second.events);
    CHECK(logs.second.outcomes == expected.second.outcomes);
  };
  same("poll, TCP", run_by_poll(kTcp));
  same("poll, session", run_by_poll(kSession));
  for (const char* listen : {kQuic, kSession, kTcp}) {
    CAPTURE(listen);
    same("single turns", run_by_single_turns(listen));
    same("descriptor", run_by_descriptor(listen));
    same("thread", run_by_thread(listen));
  }
  same("world", run_in_world("/ip4/0.0.0.0/udp/4001/quic-v1"));
  same("world, session", run_in_world("/ip4/0.0.0.0/udp/4001/p2pa-udp"));
  same("world, TCP", run_in_world("/ip4/0.0.0.0/tcp/4001"));
}

TEST_CASE("the plain path, IPv6 and WebSocket see the same events and outcomes") {
  const Logs expected = run_by_poll();
  CHECK(run_by_poll(kQuic, {.plain = true}) == expected);
  CHECK(run_by_poll("/ip6/::1/udp/0/quic-v1") == expected);
  CHECK(run_by_poll("/ip6/::1/udp/0/quic-v1", {.plain = true}) == expected);
  CHECK(run_by_poll(kSession, {.plain = true}) == expected);
  CHECK(run_by_poll("/ip6/::1/udp/0/p2pa-udp") == expected);
  CHECK(run_by_poll("/ip6/::1/tcp/0") == expected);
  CHECK(run_by_poll("/ip4/127.0.0.1/tcp/0/ws") == expected);
}

}  // namespace
}  // namespace p2pa::io
