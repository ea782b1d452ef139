#include <catch2/catch.hpp>

#include "node/impl.hpp"
#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

constexpr Duration kRtt = milliseconds(100);

void set_rtt(World& world) {
  world.set_default_link({.delay = kRtt / 2});
}

/// From the call, without a connection, to its answer.
Duration time_to_answer(World& world, const Pair& pair, CallOptions options = {}) {
  const Instant begin = world.now();
  const Answer answer =
      call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes("hello"), options);
  CHECK(answer.ok());
  CHECK(as_text(answer.bytes) == "hello");
  return answer.at - begin;
}

void disconnect(World& world, const Pair& pair) {
  world.node(pair.client).disconnect(pair.server_id);
  REQUIRE(
      world.run_until([&] { return world.node(pair.client).connections().empty(); }, seconds(10)));
  world.run_for(seconds(5));
}

}  // namespace

TEST_CASE("the first answer of a stranger takes two round trips") {
  for_seeds(3, "cold call", [](World& world) {
    set_rtt(world);
    const Pair pair = make_pair(world);
    CHECK(time_to_answer(world, pair).us() == (kRtt * 2).us());
  });
}

TEST_CASE("over a connection that exists an answer takes one round trip") {
  for_seeds(1, "warm call", [](World& world) {
    set_rtt(world);
    const Pair pair = make_pair(world);
    time_to_answer(world, pair);
    CHECK(time_to_answer(world, pair).us() == kRtt.us());
  });
}

TEST_CASE("a replay-safe call to a peer known from before takes one round trip") {
  for_seeds(3, "resumed call", [](World& world) {
    set_rtt(world);
    const Pair pair = make_pair(world);
    time_to_answer(world, pair);
    disconnect(world, pair);
    CHECK(time_to_answer(world, pair, {.replay_safe = true}).us() == kRtt.us());
  });
}

TEST_CASE("a call that must not be replayed waits for the handshake") {
  for_seeds(1, "resumed call, not replay-safe", [](World& world) {
    set_rtt(world);
    const Pair pair = make_pair(world);
    time_to_answer(world, pair);
    disconnect(world, pair);
    CHECK(time_to_answer(world, pair).us() == (kRtt * 2).us());
  });
}

TEST_CASE("early data that a restarted server rejects is sent again by itself") {
  for_seeds(1, "rejected early data", [](World& world) {
    set_rtt(world);
    const Pair pair = make_pair(world);
    time_to_answer(world, pair);
    disconnect(world, pair);
    world.kill(pair.server);
    world.restart(pair.server, listening());
    serve_echo(world.node(pair.server));
    world.run_for(seconds(1));
    const Duration took = time_to_answer(world, pair, {.replay_safe = true});
    CHECK(took.us() >= kRtt.us());  // one, should the tickets' key survive a restart one day
    CHECK(took.us() <= (kRtt * 2).us());
  });
}

TEST_CASE("early data on a protocol that is not replay-safe waits for the handshake") {
  for_seeds(1, "early data of another make", [](World& world) {
    set_rtt(world);
    const Pair pair = make_pair(world);
    time_to_answer(world, pair);
    disconnect(world, pair);
    std::string received;
    std::optional<Instant> served;
    std::size_t connections = 0;
    REQUIRE(world.node(pair.server).handle_protocol("/test/unsafe/1", [&](AgentStream& stream) {
      served = world.now();
      connections = world.node(pair.server).connections().size();
      stream.set_handler({.on_readable = [&](AgentStream& s) {
        received += as_text(s.peek());
        s.consume(s.peek().size());
      }});
    }));
    // A client that sends early what it must not.
    struct Careless final : StreamHandler {
      void on_stream_open(Instant, Stream& stream) override {
        (void)stream.write(as_bytes("do it"));
        stream.finish();
      }
      void on_stream_failed(Instant, std::uint64_t, const Error&) override {}
      void on_readable(Instant, Stream&) override {}
      void on_writable(Instant, Stream&) override {}
      void on_stream_closed(Instant, Stream&, const Error&) override {}
    } careless;
    const Instant begin = world.now();
    world.node(pair.client).core().impl().swarm.open_stream(pair.server_id, "/test/unsafe/1", careless, 1,
                                                            {.replay_safe = true});
    world.run_for(seconds(2));
    REQUIRE(served.has_value());
    CHECK((*served - begin).us() == (kRtt * 3 / 2).us());  // with the client's last flight
    CHECK(connections == 1);
    CHECK(received == "do it");
  });
}
