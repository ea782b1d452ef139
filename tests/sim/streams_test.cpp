#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

#include "support.hpp"
#include "transport/quic/compat.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

/// Reads all there is into `into`, and answers the end with the end.
AgentStreamHandler sink(Bytes& into, std::optional<Error>& end) {
  AgentStreamHandler handler;
  handler.on_readable = [&into](AgentStream& stream) {
    while (!stream.peek().empty()) {
      const ByteView bytes = stream.peek();
      into.insert(into.end(), bytes.begin(), bytes.end());
      stream.consume(bytes.size());
    }
    if (stream.at_end()) stream.finish();
  };
  handler.on_end = [&end](AgentStream&, const Error& why) { end = why; };
  return handler;
}

}  // namespace

TEST_CASE("a raw stream carries every byte in order over a bad link") {
  for_seeds(2, "raw stream", [](World& world) {
    world.set_default_link(
        {.delay = milliseconds(15), .loss = 0.02, .duplicate = 0.02, .reorder = 0.05});
    const Pair pair = make_pair(world);
    const Bytes sent = pattern(1'000'000, 9);
    Bytes received;
    std::optional<Error> server_end, client_end;
    REQUIRE(world.node(pair.server).handle_protocol("/test/sink/1", [&](AgentStream& stream) {
      stream.set_handler(sink(received, server_end));
    }));
    std::size_t written = 0;
    const auto push = [&](AgentStream& stream) {
      while (written < sent.size()) {
        const auto taken = stream.write(ByteView(sent).subspan(written));
        REQUIRE(taken);
        if (*taken == 0) return;
        written += *taken;
      }
      stream.finish();
    };
    Bytes nothing;
    world.node(pair.client)
        .open_stream(pair.server_id, "/test/sink/1", [&](Result<AgentStream*> stream) {
          REQUIRE(stream);
          AgentStreamHandler handler = sink(nothing, client_end);
          handler.on_writable = push;
          (*stream)->set_handler(std::move(handler));
          push(**stream);
        });
    REQUIRE(world.run_until([&] { return server_end && client_end; }, minutes(2)));
    CHECK(server_end->code == Code::kOk);
    CHECK(client_end->code == Code::kOk);
    const bool same = received == sent;
    CHECK(same);
    CHECK(nothing.empty());
  });
}

TEST_CASE("a raw stream over the bound on memory goes on when there is some again") {
  for_seeds(1, "raw stream over the memory bound", [](World& world) {
    NodeOptions client;
    client.limits.memory_per_peer_max = 128 * 1024;
    const Pair pair = make_pair(world, listening(), std::move(client));
    Bytes received, nothing;
    std::optional<Error> server_end, client_end;
    REQUIRE(world.node(pair.server).handle_protocol("/test/sink/1", [&](AgentStream& stream) {
      stream.set_handler(sink(received, server_end));
    }));
    const Bytes sent = pattern(4'000'000, 3);
    std::size_t written = 0;
    const auto push = [&](AgentStream& stream) {
      while (written < sent.size()) {
        const auto taken = stream.write(ByteView(sent).subspan(written));
        REQUIRE(taken);
        if (*taken == 0) return;
        written += *taken;
      }
      stream.finish();
    };
    world.node(pair.client)
        .open_stream(pair.server_id, "/test/sink/1", [&](Result<AgentStream*> stream) {
          REQUIRE(stream);
          AgentStreamHandler handler = sink(nothing, client_end);
          handler.on_writable = push;
          (*stream)->set_handler(std::move(handler));
          push(**stream);
        });
    REQUIRE(world.run_until([&] { return server_end && client_end; }, minutes(2)));
    CHECK(client_end->code == Code::kOk);
    CHECK(received == sent);
  });
}

TEST_CASE("streams wait for a peer that takes no more of them, in order, and not for ever") {
  const std::string listen = GENERATE("/ip4/0.0.0.0/udp/4001/quic-v1", "/ip4/0.0.0.0/tcp/4001",
                                      "/ip4/0.0.0.0/udp/4001/p2pa-udp");
  for_seeds(1, "no credit " + listen, [&](World& world) {
    NodeOptions options = listening(listen), hasty;
    // Yamux has no credit for streams: what is over the bound is reset, and a dialer opens no more than any peer takes.
    if (listen.find("/tcp/") == std::string::npos) options.limits.streams_inbound_per_connection_max = 8;
    hasty.open_timeout = seconds(4);
    const Pair pair = make_pair(world, std::move(options), std::move(hasty));
    std::vector<AgentStream*> held;
    REQUIRE(world.node(pair.server).handle_protocol("/test/hold/1", [&](AgentStream& stream) {
      held.push_back(&stream);
    }));
    constexpr int kOpens = 300;  // more than Yamux opens
    int opened = 0, failed = 0;
    std::optional<Error> why;
    Instant first_failed{};
    for (int i = 0; i < kOpens; ++i) {
      world.node(pair.client).open_stream(pair.server_id, "/test/hold/1", [&](Result<AgentStream*> stream) {
        if (stream) {
          ++opened;
          return;
        }
        if (failed++ == 0) first_failed = world.now();
        why = stream.error();
      });
    }
    const Instant asked = world.now();
    world.run_for(seconds(2));
    const int taken = opened;
    CHECK(taken > 0);
    CHECK(taken < kOpens);
    REQUIRE(failed == 0);
    held.front()->reset(0);
    world.run_for(seconds(1));
    CHECK(opened == taken + 1);
    CHECK(world.run_until([&] { return opened + failed == kOpens; }, seconds(20)));
    CHECK(opened == taken + 1);
    CHECK(first_failed - asked >= seconds(4));
    CHECK(world.now() - asked < seconds(5));
    REQUIRE(why.has_value());
    CHECK(why->code == Code::kTimeout);
    // Who waits no more is in nobody's way.
    held.back()->reset(0);
    world.run_for(seconds(1));
    bool late = false;
    const auto note = [&](Result<AgentStream*> stream) { late = stream.has_value(); };
    world.node(pair.client).open_stream(pair.server_id, "/test/hold/1", note);
    world.run_for(seconds(1));
    CHECK(late);
  });
}

TEST_CASE("a protocol that nobody handles is said so, and the connection stays") {
  for_seeds(1, "unknown protocol", [](World& world) {
    const Pair pair = make_pair(world);
    REQUIRE(connect(world, pair.client, pair.server_id));
    Bytes nothing;
    std::optional<Error> why;
    world.node(pair.client)
        .open_stream(pair.server_id, "/test/nothing/1", [&](Result<AgentStream*> stream) {
          REQUIRE(stream);  // the proposal travels with the first bytes
          (*stream)->set_handler(sink(nothing, why));
          REQUIRE((*stream)->write(as_bytes("hello")));
        });
    REQUIRE(world.run_until([&] { return why.has_value(); }, seconds(30)));
    CHECK(why->code == Code::kProtocolUnsupported);
    CHECK(world.node(pair.client).connections().size() == 1);
  });
}

TEST_CASE("datagrams between nodes arrive whole or not at all, and never twice") {
  for_seeds(3, "datagrams", [](World& world) {
    world.set_default_link({.delay = milliseconds(15), .loss = 0.1, .duplicate = 0.1});
    const Pair pair = make_pair(world);
    REQUIRE(connect(world, pair.client, pair.server_id));
    world.run_for(seconds(1));
    constexpr std::uint32_t kCount = 200;
    const auto payload_of = [](std::uint32_t i) {
      Bytes payload = pattern(500, i);
      payload[0] = static_cast<std::uint8_t>(i);
      return payload;
    };
    std::set<std::uint32_t> received;
    int twice = 0, wrong = 0;
    world.node(pair.server).on_datagram([&](const PeerId&, ByteView payload) {
      const Bytes expected = payload_of(payload[0]);
      if (!std::equal(payload.begin(), payload.end(), expected.begin(), expected.end())) ++wrong;
      if (!received.insert(payload[0]).second) ++twice;
    });
    for (std::uint32_t i = 0; i < kCount; ++i) {
      REQUIRE(world.node(pair.client).send_datagram(pair.server_id, payload_of(i)));
      world.run_for(milliseconds(5));
    }
    world.run_for(seconds(10));  // what waits for the congestion window, which such a path keeps small
    CHECK(twice == 0);
    CHECK(wrong == 0);
    CHECK(received.size() > kCount * 8 / 10);
    CHECK(received.size() < kCount);
  });
}

TEST_CASE("an idle connection costs at most a packet in four seconds") {
  for_seeds(1, "idle cost", [](World& world) {
    const Pair pair = make_pair(world);
    REQUIRE(connect(world, pair.client, pair.server_id));
    world.run_for(minutes(1));
    const std::uint64_t before = world.stats().sent;
    world.run_for(minutes(10));
    const std::uint64_t sent = world.stats().sent - before;
    CHECK(sent > 0);
    // A ping and its answer at the edge of the window; ngtcp2 1.x adds a ping to every other acknowledgement.
    CHECK(sent <= (P2PA_NGTCP2_1 ? 158 : 600 / 4) + 2);
  });
}
