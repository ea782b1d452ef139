#include <catch2/catch.hpp>

#include "node/impl.hpp"
#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

struct Seen {
  HostId from, to;
  std::uint16_t from_port, to_port;
  Bytes bytes;
};

/// Writes down all that is sent, as who sits on the path can.
std::shared_ptr<std::vector<Seen>> listen_in(World& world) {
  auto seen = std::make_shared<std::vector<Seen>>();
  world.on_datagram([seen](const Datagram& d) {
    seen->push_back({d.from, d.to, d.from_port, d.to_port, Bytes(d.bytes.begin(), d.bytes.end())});
    return true;
  });
  return seen;
}

std::shared_ptr<int> serve_counter(Node& node) {
  const auto calls = std::make_shared<int>(0);
  REQUIRE(node.serve("count", UnaryMethod([calls](const PeerId&, ByteView) {
                       ++*calls;
                       return std::expected<Bytes, ApplicationError>(Bytes{1});
                     })));
  return calls;
}

void disconnect(World& world, const Pair& pair) {
  world.node(pair.client).disconnect(pair.server_id);
  world.run_for(seconds(5));
}

}  // namespace

TEST_CASE("a recorded conversation that is played again does nothing") {
  for_seeds(3, "replay", [](World& world) {
    const Pair pair = make_pair(world);
    const auto calls = serve_counter(world.node(pair.server));
    CHECK(call_and_wait(world, pair.client, pair.server_id, "count", {}).ok());
    disconnect(world, pair);
    const auto seen = listen_in(world);  // to a conversation that begins with 0-RTT
    CHECK(
        call_and_wait(world, pair.client, pair.server_id, "count", {}, {.replay_safe = true}).ok());
    world.on_datagram({});
    disconnect(world, pair);
    REQUIRE(*calls == 2);
    REQUIRE(seen->size() > 4);

    const HostId thief = world.add_host();
    for (const Seen& one : *seen) {
      if (one.to != world.host(pair.server)) continue;
      world.inject(thief, one.from_port, one.to, one.to_port, one.bytes);
    }
    world.run_for(seconds(30));
    CHECK(*calls == 2);
    CHECK(world.node(pair.server).connections().empty());
  });
}

TEST_CASE("forged and damaged copies of every datagram change no answer") {
  for_seeds(5, "forgery", [](World& world) {
    const Pair pair = make_pair(world);
    std::uint32_t count = 0;
    bool forging = false;
    world.on_datagram([&](const Datagram& d) {
      if (forging) return true;  // inject() comes here too
      forging = true;
      Bytes copy(d.bytes.begin(), d.bytes.end());
      const Bytes noise = pattern(4, ++count + static_cast<std::uint32_t>(world.seed()) * 1000);
      const std::size_t at = (std::size_t{noise[0]} << 8 | noise[1]) % copy.size();
      if (count % 3 == 0) {
        copy.resize(at + 1);
      } else {
        copy[at] ^= static_cast<std::uint8_t>(noise[2] | 1);
      }
      world.inject(d.from, d.from_port, d.to, d.to_port, copy);
      forging = false;
      return true;
    });
    for (std::uint32_t i = 0; i < 10; ++i) {
      const Bytes request = pattern(3000 * i, i);
      const Answer answer = call_and_wait(world, pair.client, pair.server_id, "echo", request);
      INFO("call " << i << ": " << describe(answer.outcome.error));
      CHECK(answer.ok());
      const bool same = answer.bytes == request;
      CHECK(same);
    }
    CHECK(count > 100);
  });
}

TEST_CASE("what a stranger sends brings back at most three times as many bytes") {
  for_seeds(2, "reflection", [](World& world) {
    const Pair pair = make_pair(world);
    const auto seen = listen_in(world);
    const auto began = call(world, pair.client, pair.server_id, "echo", as_bytes("hello"));
    world.run_for({});
    REQUIRE_FALSE(seen->empty());
    world.run_for(seconds(5));
    CHECK(began->ok());
    const Seen first = seen->front();  // a real first datagram, from who will never answer
    world.kill(pair.server);           // which has forgotten it
    world.restart(pair.server, listening());
    world.run_for(seconds(1));
    seen->clear();
    const HostId victim = world.add_host();
    world.inject(victim, 9, first.to, first.to_port, first.bytes);
    world.run_for(seconds(20));
    std::size_t reflected = 0;
    for (const Seen& one : *seen) {
      if (one.to == victim) reflected += one.bytes.size();
    }
    CHECK(reflected > 0);
    CHECK(reflected <= 3 * first.bytes.size());
  });
}

TEST_CASE("streams on which a proposal comes byte by byte, or never, are given up in time") {
  for_seeds(1, "slow proposals", [](World& world) {
    const Pair pair = make_pair(world);
    REQUIRE(connect(world, pair.client, pair.server_id));
    world.run_for(seconds(1));
    Node& server = world.node(pair.server);
    Connection& connection = *world.node(pair.client).core().impl().swarm.best_connection(pair.server_id);
    REQUIRE(server.connections().at(0).streams == 0);
    std::vector<StreamId> streams;
    for (int i = 0; i < 20; ++i) streams.push_back(*connection.open_stream(false));
    const std::string_view proposal = "\x13/multistream/1.0.0\n";
    bool open = true;
    int written = 0;
    for (; open && written < static_cast<int>(proposal.size()); ++written) {
      for (const StreamId id : streams) {
        open &= connection.write(id, as_bytes(proposal.substr(static_cast<std::size_t>(written), 1))).has_value();
      }
      world.run_for(seconds(1));
      world.node(pair.client).post([](Node&) {}).value();  // so that what was written is sent
    }
    CHECK_FALSE(open);
    CHECK(written >= 10);
    CHECK(written <= 13);
    CHECK(server.connections().at(0).streams == 0);
    CHECK(call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes("still here")).ok());
  });
}
