// The orderly end of a node: what it said was done is done, and nobody is called where he does not expect it.

#include <catch2/catch.hpp>

#include "node/impl.hpp"
#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

void close_and_wait(World& world, NodeId node) {
  world.node(node).close();
  REQUIRE(world.run_until([&] { return world.node(node).closed(); }, minutes(1)));
}

/// Serves `log`, which counts the bytes that it is told.
void serve_log(World& world, NodeId node, std::size_t& arrived) {
  REQUIRE(world.node(node).serve("log", UnaryMethod([&arrived](const PeerId&, ByteView message) {
    arrived += message.size();
    return std::expected<Bytes, ApplicationError>(Bytes{});
  })));
}

}  // namespace

TEST_CASE("a message that was reported as sent arrives although its sender closes at once") {
  for_seeds(2, "notify and close", [](World& world) {
    world.set_default_link({.delay = milliseconds(20), .loss = 0.01});
    for (const std::size_t size : {std::size_t{10}, std::size_t{100'000}, std::size_t{1'000'000}}) {
      const NodeId server = world.add_node(listening()), client = world.add_node({});
      introduce(world, client, server);
      std::size_t arrived = 0;
      serve_log(world, server, arrived);
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

TEST_CASE("a replay-safe message that was reported as sent arrives, handshake or not") {
  for_seeds(1, "early notify and close", [](World& world) {
    world.set_default_link({.delay = milliseconds(20)});
    const Pair pair = make_pair(world);
    int arrived = 0;
    REQUIRE(world.node(pair.server).serve("log", UnaryMethod([&](const PeerId&, ByteView) {
      ++arrived;
      return std::expected<Bytes, ApplicationError>(Bytes{});
    })));
    REQUIRE(connect(world, pair.client, pair.server_id));
    world.run_for(seconds(2));
    world.node(pair.client).disconnect(pair.server_id);
    world.run_for(seconds(5));
    NodeCore::Impl& client = world.node(pair.client).core().impl();
    bool sent = false;
    client.rpc.notify(world.now(), pair.server_id, "log", as_bytes("x"),
                      [&](const CallOutcome& outcome) {
                        sent = outcome.ok();
                        world.node(pair.client).close();
                      },
                      {.replay_safe = true});
    REQUIRE(world.run_until([&] { return world.node(pair.client).closed(); }, minutes(1)));
    CHECK(sent);
    CHECK(arrived == 1);
  });
}

TEST_CASE("an answer that a server finished arrives although it closes at once") {
  for_seeds(2, "answer and close", [](World& world) {
    world.set_default_link({.delay = milliseconds(20)});
    const Pair pair = make_pair(world);
    Node& server = world.node(pair.server);
    REQUIRE(server.serve("last", Method([&](Call& call) {
      call.set_handler({.on_message =
                            [](Call& c, ByteView) {
                              REQUIRE(c.send(pattern(100'000, 1)));
                              c.finish();
                            },
                        .on_end = [&](Call&, const CallOutcome&) { server.close(); }});
    })));
    const Answer answer = call_and_wait(world, pair.client, pair.server_id, "last", as_bytes("x"));
    CHECK(answer.ok());
    CHECK(answer.bytes == pattern(100'000, 1));
    CHECK(world.run_until([&] { return server.closed(); }, seconds(5)));
  });
}

TEST_CASE("a peer that does not acknowledge holds a close up for its time-out only") {
  for_seeds(1, "close, peer dead", [](World& world) {
    const Pair pair = make_pair(world);
    REQUIRE(connect(world, pair.client, pair.server_id));
    world.run_for(seconds(1));
    world.kill(pair.server);
    bool sent = false;
    world.node(pair.client).notify(pair.server_id, "log", as_bytes("x"), [&](const CallOutcome& o) { sent = o.ok(); });
    REQUIRE(world.run_until([&] { return sent; }, seconds(1)));
    const Instant begin = world.now();
    close_and_wait(world, pair.client);
    CHECK(world.now() - begin == kCloseTimeout);
  });
}

TEST_CASE("a slow path is waited for while something arrives, and half a minute at most") {
  const bool hopeless = GENERATE(false, true);
  for_seeds(1, "close, slow path", [hopeless](World& world) {
    world.set_default_link({.delay = milliseconds(20), .rate_bits_per_s = hopeless ? 100'000u : 1'000'000u});
    const NodeId server = world.add_node(listening()), client = world.add_node({});
    introduce(world, client, server);
    std::size_t arrived = 0;
    serve_log(world, server, arrived);
    constexpr std::size_t kSize = 1'000'000;  // 8 s at one megabit a second
    bool sent = false;
    world.node(client).notify(world.node(server).id(), "log", pattern(kSize, 1),
                              [&](const CallOutcome& outcome) { sent = outcome.ok(); });
    REQUIRE(world.run_until([&] { return sent; }, seconds(5)));
    const Instant begin = world.now();
    close_and_wait(world, client);
    world.run_for(seconds(1));
    CHECK(arrived == (hopeless ? 0 : kSize));
    if (hopeless) CHECK(world.now() - begin < kCloseTimeoutMax + seconds(2));
    if (!hopeless) CHECK(world.now() - begin > kCloseTimeout * 3);
  });
}

TEST_CASE("who goes on writing does not hold a close up") {
  for_seeds(1, "close, endless upload", [](World& world) {
    world.set_default_link({.delay = milliseconds(20), .rate_bits_per_s = 10'000'000});
    NodeOptions options = listening();
    options.serve_perf = true;
    const Pair pair = make_pair(world, std::move(options));
    world.node(pair.client).perf(pair.server_id, std::uint64_t{1} << 40, 0, [](auto&&) {});
    world.run_for(seconds(5));
    const Instant begin = world.now();
    close_and_wait(world, pair.client);
    CHECK(world.now() - begin < kCloseTimeout * 3);
  });
}

TEST_CASE("closing runs no callback inside the call, and is allowed in every callback") {
  for_seeds(1, "close in callbacks", [](World& world) {
    const Pair pair = make_pair(world);
    Node& client = world.node(pair.client);
    REQUIRE(world.node(pair.server).handle_protocol("/test/x/1", [](AgentStream&) {}));
    REQUIRE(connect(world, pair.client, pair.server_id));
    int first = 0, nested = 0, dialed = 0;
    bool inside = false;
    for (int i = 0; i < 3; ++i) {
      client.open_stream(pair.server_id, "/test/x/1", [&, i](Result<AgentStream*>) {
        CHECK_FALSE(inside);
        ++first;
        client.dial(pair.server_id, [&](Result<ConnectionInfo>) {
          CHECK_FALSE(inside);
          ++dialed;
        });
        for (int k = 0; k < 40; ++k) {
          client.open_stream(pair.server_id, "/test/x/1", [&](Result<AgentStream*>) {
            CHECK_FALSE(inside);
            ++nested;
          });
        }
        if (i > 0) return;
        inside = true;
        client.close();
        inside = false;
      });
    }
    REQUIRE(world.run_until([&] { return client.closed(); }, seconds(5)));
    CHECK(first == 3);
    CHECK(dialed == 3);
    CHECK(nested == 3 * 40);
  });
}
