#include <catch2/catch.hpp>

#include "node/core.hpp"
#include "resource/manager.hpp"
#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

void check_nothing_reserved(World& world, NodeId node) {
  const auto& usage = world.node(node).core().resources().usage();
  CHECK(usage.handshakes == 0);
  CHECK(usage.connections == 0);
  CHECK(usage.streams == 0);
  CHECK(usage.calls == 0);
  CHECK(usage.memory == 0);
}

}  // namespace

TEST_CASE("what was reserved is given back when connections end, well or badly") {
  for_seeds(5, "reservations", [](World& world) {
    world.set_default_link({.delay = milliseconds(20), .loss = 0.05});
    const Pair pair = make_pair(world);
    std::vector<std::shared_ptr<Answer>> answers;
    for (std::uint32_t i = 0; i < 30; ++i) {
      answers.push_back(call(world, pair.client, pair.server_id, "echo", pattern(i * 1000, i)));
    }
    world.run_for(milliseconds(200));  // in the middle of it
    CHECK(world.node(pair.client).core().resources().usage().calls > 0);
    world.node(pair.client).disconnect(pair.server_id);
    world.run_for(minutes(1));
    for (const auto& answer : answers) CHECK(answer->ends == 1);
    CHECK(world.node(pair.client).connections().empty());
    check_nothing_reserved(world, pair.client);
    check_nothing_reserved(world, pair.server);
  });
}

TEST_CASE("connections over the bound are refused and counted, and the others do not notice") {
  for_seeds(1, "connections over the bound", [](World& world) {
    NodeOptions options = listening();
    options.limits.connections_max = 3;
    const NodeId server = world.add_node(std::move(options));
    serve_echo(world.node(server));
    std::vector<std::shared_ptr<Answer>> answers;
    for (int i = 0; i < 4; ++i) {
      const NodeId client = world.add_node({});
      introduce(world, client, server);
      answers.push_back(call(world, client, world.node(server).id(), "echo", as_bytes("hello")));
      world.run_for(seconds(2));
    }
    for (int i = 0; i < 3; ++i) CHECK(answers[static_cast<std::size_t>(i)]->ok());
    world.run_for(seconds(30));
    CHECK(answers[3]->ends == 1);
    CHECK_FALSE(answers[3]->outcome.ok());
    CHECK(world.node(server).limit_counters().refused[LimitCounters::kConnections] == 1);
    CHECK(world.node(server).connections().size() == 3);
  });
}

TEST_CASE("a storm of calls is answered within the bounds, and the rest is refused") {
  for_seeds(2, "storm", [](World& world) {
    NodeOptions options = listening();
    options.limits.calls_max = 16;
    options.limits.memory_max = 1 << 20;
    const Pair pair = make_pair(world, std::move(options));
    std::vector<std::shared_ptr<Answer>> answers;
    for (std::uint32_t i = 0; i < 100; ++i) {
      answers.push_back(call(world, pair.client, pair.server_id, "echo", pattern(5000, i)));
    }
    world.run_for(minutes(1));
    int ok = 0;
    for (const auto& answer : answers) {
      CHECK(answer->ends == 1);
      ok += answer->ok() ? 1 : 0;
    }
    CHECK(ok >= 16);
    CHECK(ok < 100);
    CHECK(world.node(pair.server).limit_counters().refused[LimitCounters::kCalls] > 0);
  });
}

TEST_CASE("a reader that pauses stops the sender, in bounded memory, and loses nothing") {
  for_seeds(2, "slow reader", [](World& world) {
    NodeOptions options;
    options.limits.send_buffer_max = 64 * 1024;
    NodeOptions server_options = listening();
    server_options.limits.stream_window = 64 * 1024;
    const Pair pair = make_pair(world, std::move(server_options), std::move(options));
    std::size_t received = 0;
    CallId inbound = 0;
    REQUIRE(world.node(pair.server).serve("slow", Method([&](Call& incoming) {
                                            CallHandler handler;
                                            handler.on_message = [&](Call&, ByteView message) {
                                              received += message.size();
                                            };
                                            handler.on_finished = [](Call& call) { call.finish(); };
                                            incoming.set_handler(std::move(handler));
                                            incoming.pause();
                                            inbound = incoming.id();
                                          })));
    constexpr std::size_t kMessages = 200, kSize = 4000;
    std::size_t sent = 0;
    std::optional<CallOutcome> end;
    const auto push = [&sent](Call& call) {
      while (sent < kMessages) {
        const auto taken = call.send(pattern(kSize, static_cast<std::uint32_t>(sent)));
        if (!taken) {
          CHECK(taken.error().code == Code::kWouldBlock);
          return;
        }
        if (++sent == kMessages) call.finish();
      }
    };
    CallHandler handler;
    handler.on_writable = push;
    handler.on_end = [&](Call&, const CallOutcome& outcome) { end = outcome; };
    push(*world.node(pair.client).open_call(pair.server_id, "slow", {}, std::move(handler)));
    world.run_for(seconds(10));
    CHECK(sent < kMessages);
    CHECK(received == 0);
    for (const NodeId node : {pair.server, pair.client}) {
      CHECK(world.node(node).core().resources().usage().memory < 256 * 1024);
    }
    REQUIRE(world.node(pair.server).find_call(inbound) != nullptr);
    world.node(pair.server).find_call(inbound)->resume();
    REQUIRE(world.run_until([&] { return end.has_value(); }, seconds(15)));
    CHECK(end->ok());
    CHECK(received == kMessages * kSize);
  });
}
