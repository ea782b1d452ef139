#include <catch2/catch.hpp>

#include "sim/event_log.hpp"
#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

/// Everything at once: bad links, crashes, moves, partitions, drawn from the seed.
void turmoil(World& world) {
  const std::uint64_t seed = world.seed();
  world.set_default_link({.delay = milliseconds(5 + static_cast<std::int64_t>(seed % 7) * 10),
                          .jitter = milliseconds(4),
                          .loss = 0.01 * static_cast<double>(seed % 5),
                          .duplicate = 0.02,
                          .reorder = 0.03,
                          .rate_bits_per_s = seed % 2 == 0 ? 0u : 5'000'000u});
  NodeOptions options = listening();
  options.idle_timeout = seconds(8);
  options.keep_alive = seconds(3);
  for (int i = 0; i < 4; ++i)
    serve_echo(world.node(world.add_node(i == 0 ? std::move(options) : listening())));
  std::vector<std::shared_ptr<Answer>> answers;
  for (NodeId i = 0; i < 4; ++i) {
    for (NodeId j = 0; j < 4; ++j) {
      if (i == j) continue;
      introduce(world, i, j);
      answers.push_back(call(world, i, world.node(j).id(), "echo", pattern(3000, i * 4 + j)));
    }
  }
  world.after(milliseconds(100), [&] { world.partition(world.host(0), world.host(1)); });
  world.after(seconds(2), [&] { world.heal(world.host(0), world.host(1)); });
  world.after(milliseconds(150), [&] { CHECK(world.rebind(world.host(2))); });
  world.after(milliseconds(200), [&] { world.kill(3); });
  world.after(seconds(1), [&] { world.restart(3, listening()); });
  world.run_for(seconds(45));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (i < 9)
      CHECK(answers[i]->ends == 1);  // those of the killed node died with it, or were answered
  }
  world.check();
}

}  // namespace

TEST_CASE("one seed gives one run") {
  for_seeds(20, "turmoil", turmoil);
}

TEST_CASE("two seeds give two runs") {
  std::vector<std::uint64_t> hashes;
  for (const std::uint64_t seed : {1, 2}) {
    World world(seed);
    turmoil(world);
    hashes.push_back(world.trace_hash());
  }
  CHECK(hashes[0] != hashes[1]);
}

TEST_CASE("two runs that differ in nothing but an answer have two traces") {
  const auto hash_with = [](const char* said) {
    World world(1);
    const Pair pair = make_pair(world);
    REQUIRE(world.node(pair.server).serve("say", UnaryMethod([said](const PeerId&, ByteView) {
      const ByteView bytes = as_bytes(said);
      return std::expected<Bytes, ApplicationError>(Bytes(bytes.begin(), bytes.end()));
    })));
    CHECK(call_and_wait(world, pair.client, pair.server_id, "say", {}).ok());
    return world.trace_hash();
  };
  CHECK(hash_with("yes") == hash_with("yes"));
  CHECK(hash_with("yes") != hash_with("nay"));
}

TEST_CASE("code for the real network runs in the world by poll_until") {
  for_seeds(1, "poll", [](World& world) {
    world.set_default_link({.delay = milliseconds(50)});
    const Pair pair = make_pair(world);
    Node& client = world.node(pair.client);
    const Instant begin = client.now();
    std::string answer;
    client.call(pair.server_id, "echo", as_bytes("hello"), {},
                [&](const CallOutcome&, ByteView bytes) { answer = as_text(bytes); });
    CHECK(client.poll_until([&] { return !answer.empty(); }, seconds(5)));
    CHECK(answer == "hello");
    CHECK((client.now() - begin).ms() == 200);
    CHECK_FALSE(client.poll_until([] { return false; }, seconds(5)));
    CHECK((client.now() - begin).ms() == 5200);
    CHECK(client.wakeup_fd() == -1);
    CHECK(client.start_thread().error().code == Code::kUnsupported);
  });
}

TEST_CASE("poll inside a callback is refused") {
  for_seeds(1, "poll in a turn", [](World& world) {
    const Pair pair = make_pair(world);
    std::optional<Code> code;
    REQUIRE(world.node(pair.client).post([&](Node& node) { code = node.poll({}).error().code; }));
    CHECK_FALSE(code);
    world.run_for({});
    CHECK(code == Code::kInvalidState);
  });
}

TEST_CASE("a node killed in its own callback dies after its turn") {
  for_seeds(1, "kill in a turn", [](World& world) {
    const Pair pair = make_pair(world);
    REQUIRE(world.node(pair.client).post([&](Node& node) {
      world.kill(pair.client);
      CHECK_FALSE(node.closed());
      CHECK(world.alive(pair.client));
    }));
    world.run_for({});
    CHECK_FALSE(world.alive(pair.client));
    world.restart(pair.client, {});
    CHECK(world.alive(pair.client));
  });
}

TEST_CASE("a node may ask something of another one in its own callback") {
  for_seeds(1, "nodes that know each other", [](World& world) {
    world.set_default_link({.delay = milliseconds(50)});
    const Pair pair = make_pair(world);
    std::shared_ptr<Answer> second;
    REQUIRE(world.node(pair.server).post([&](Node&) {
      second = call(world, pair.client, pair.server_id, "echo", as_bytes("hello"));
    }));
    const Instant begin = world.now();
    world.run_for(seconds(1));
    REQUIRE(second);
    CHECK(second->ok());
    CHECK((second->at - begin).ms() == 200);
  });
}

TEST_CASE("a run that stands still is ended, and says how to repeat it") {
  World world(42, "spin");
  const NodeId node = world.add_node({});
  std::function<void(Node&)> again = [&](Node& n) { (void)n.post(again); };
  again(world.node(node));
  world.run_for(seconds(1));
  CHECK(world.failure() == "seed 42, scenario \"spin\", 0 us: time stands still");
  CHECK_FALSE(world.run_until([] { return true; }, seconds(1)));
}

TEST_CASE("an address that is taken is a failed listen, not a silent one") {
  for_seeds(1, "address in use", [](World& world) {
    const HostId host = world.add_host();
    world.add_node(listening(), host);
    world.run_for({});
    const NodeId second = world.add_node(listening(), host);
    const Watch events(world, second);
    world.run_for({});
    REQUIRE(events.count(NodeEvent::Kind::kListenFailed) == 1);
    CHECK(events.last(NodeEvent::Kind::kListenFailed)->error.code == Code::kIo);
    CHECK(world.node(second).addresses().empty());
  });
}

TEST_CASE("datagrams from nowhere harm nobody") {
  for_seeds(3, "noise", [](World& world) {
    const Pair pair = make_pair(world);
    REQUIRE(connect(world, pair.client, pair.server_id));
    const HostId stranger = world.add_host();
    for (std::uint32_t i = 0; i < 300; ++i) {
      Bytes noise = pattern(i * 5 % 1400 + 1, i + static_cast<std::uint32_t>(world.seed()));
      if (i % 3 == 0) noise[0] |= 0xc0;  // looks like a long header
      world.inject(stranger, 1000, world.host(pair.server), 4001, noise);
    }
    world.run_for(seconds(2));
    CHECK(call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes("hello")).ok());
    CHECK(world.node(pair.server).connections().size() == 1);
  });
}

TEST_CASE("the log of events leaves out what differs between drivers") {
  NodeEvent event{};
  event.kind = NodeEvent::Kind::kDisconnected;
  event.connection = 7;
  event.last = true;
  event.error = {Code::kConnectionClosed, 9, "why"};
  EventLog log;
  log.add(event);
  CHECK(log.lines() == std::vector<std::string>{"disconnected last connection_closed 9"});
}
