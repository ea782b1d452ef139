// What an author sees of connections and streams is the same over every road, also a bad one.

#include <catch2/catch.hpp>

#include <algorithm>
#include <optional>
#include <utility>

#include "node/core.hpp"
#include "node_road.hpp"
#include "resource/manager.hpp"
#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

constexpr const char* kProtocol = "/test/road/1";
constexpr LinkOptions kSmooth{.delay = milliseconds(10)};
constexpr LinkOptions kRough{.delay = milliseconds(50),
                             .jitter = milliseconds(5),
                             .loss = 0.03,
                             .reorder = 0.03,
                             .reorder_delay = milliseconds(10)};

/// Every road, over a good link and over a bad one.
void over_each(const std::string& scenario, const std::function<void(World&, const NodeRoad&)>& run) {
  for (const NodeRoad& road : node_roads()) {
    for (const bool rough : {false, true}) {
      const std::string name = scenario + ", " + road.name + (rough ? ", rough" : "");
      INFO(name);
      for_seeds(1, name, [&](World& world) {
        world.set_default_link(rough ? kRough : kSmooth);
        run(world, road);
      });
    }
  }
}

/// One end of a raw stream: sends what it has, keeps what comes, and may finish.
struct End {
  Bytes to_send;
  std::size_t sent = 0;
  bool finishes = true;  ///< after that
  bool reads = true;
  Bytes received;
  bool at_end = false;
  std::optional<Error> over;
  AgentStream* stream = nullptr;

  void attach(AgentStream& s) {
    stream = &s;
    s.set_handler({.on_readable = [this](AgentStream&) { read(); },
                   .on_writable = [this](AgentStream&) { write(); },
                   .on_end = [this](AgentStream&, const Error& why) { over = why, stream = nullptr; }});
    write();
  }
  void read() {
    if (!reads) return;
    for (ByteView bytes; !(bytes = stream->peek()).empty(); stream->consume(bytes.size())) {
      received.insert(received.end(), bytes.begin(), bytes.end());
    }
    at_end = stream->at_end();
  }
  void write() {
    while (sent < to_send.size()) {
      const auto taken = stream->write(ByteView(to_send).subspan(sent));
      if (!taken || *taken == 0) return;
      sent += *taken;
    }
    if (std::exchange(finishes, false)) stream->finish();
  }
};

/// A stream between two nodes, opened by the client.
struct Stream {
  End client, server;

  void open(World& world, const Pair& pair) {
    REQUIRE(world.node(pair.server).handle_protocol(kProtocol, [this](AgentStream& s) { server.attach(s); }));
    world.node(pair.client).open_stream(pair.server_id, kProtocol, [this](Result<AgentStream*> s) {
      REQUIRE(s);
      client.attach(**s);
    });
  }
  bool over() const { return client.over && server.over; }
};

}  // namespace

TEST_CASE("over every road a stream carries everything both ways, and ends well at both ends", "[roads]") {
  over_each("both ways", [](World& world, const NodeRoad& road) {
    const Pair pair = make_pair(world, road);
    Stream stream;
    stream.client.to_send = pattern(150'000, 1);
    stream.server.to_send = pattern(100'000, 2);
    stream.open(world, pair);
    REQUIRE(world.run_until([&] { return stream.over(); }, minutes(2)));
    CHECK(stream.client.over->code == Code::kOk);
    CHECK(stream.server.over->code == Code::kOk);
    CHECK((stream.server.received == stream.client.to_send));
    CHECK((stream.client.received == stream.server.to_send));
  });
}

TEST_CASE("over every road half a close leaves the other direction open", "[roads]") {
  over_each("half a close", [](World& world, const NodeRoad& road) {
    const Pair pair = make_pair(world, road);
    Stream stream;
    stream.client.to_send = pattern(1'000, 1);
    stream.server.finishes = false;
    stream.open(world, pair);
    REQUIRE(world.run_until([&] { return stream.server.at_end; }, minutes(1)));
    world.run_for(seconds(5));
    CHECK_FALSE(stream.client.over);
    stream.server.to_send = pattern(1'000, 2);
    stream.server.finishes = true;
    stream.server.write();
    REQUIRE(world.run_until([&] { return stream.over(); }, minutes(1)));
    CHECK(stream.client.over->code == Code::kOk);
    CHECK((stream.client.received == stream.server.to_send));
  });
}

TEST_CASE("over every road a reset tells the other end its code", "[roads]") {
  over_each("reset", [](World& world, const NodeRoad& road) {
    const Pair pair = make_pair(world, road);
    Stream stream;
    stream.client.to_send = pattern(1'000, 1);
    stream.client.finishes = stream.server.finishes = false;
    stream.open(world, pair);
    REQUIRE(world.run_until([&] { return stream.server.received.size() == 1'000; }, minutes(1)));
    stream.server.stream->reset(0x2a);
    REQUIRE(world.run_until([&] { return stream.over(); }, minutes(1)));
    CHECK(stream.client.over->code == Code::kStreamReset);
    CHECK(stream.client.over->detail == 0x2a);
    CHECK(world.node(pair.client).connections().size() == 1);
  });
}

TEST_CASE("over every road who does not read stops the writer, at a bounded cost", "[roads]") {
  over_each("back-pressure", [](World& world, const NodeRoad& road) {
    NodeOptions server, client;
    server.limits.stream_window = client.limits.stream_window = 64 * 1024;
    server.limits.connection_window = client.limits.connection_window = 128 * 1024;
    server.limits.send_buffer_max = client.limits.send_buffer_max = 64 * 1024;
    const Pair pair = make_pair(world, road, std::move(server), std::move(client));
    Stream stream;
    stream.client.to_send = pattern(600'000, 1);
    stream.server.reads = false;
    stream.open(world, pair);
    world.run_for(seconds(20));
    CHECK(stream.client.sent > 64 * 1024);
    CHECK(stream.client.sent < 400'000);
    // Yamux begins with 256 KiB, whatever the limit, and chunks are not full.
    CHECK(world.node(pair.server).core().resources().usage().memory <= 384 * 1024);
    stream.server.reads = true;
    stream.server.read();
    REQUIRE(world.run_until([&] { return stream.over(); }, minutes(2)));
    CHECK((stream.server.received == stream.client.to_send));
  });
}

TEST_CASE("over every road a connection says what it carried, and why it ended", "[roads]") {
  over_each("statistics and close", [](World& world, const NodeRoad& road) {
    const Pair pair = make_pair(world, road);
    const Watch client(world, pair.client), server(world, pair.server);
    Stream stream;
    stream.client.to_send = pattern(50'000, 1);
    stream.open(world, pair);
    REQUIRE(world.run_until([&] { return stream.over(); }, minutes(1)));
    world.run_for(seconds(5));
    const ConnectionInfo info = world.node(pair.client).connections().at(0);
    CHECK(info.outbound);
    CHECK(info.peer == pair.server_id);
    CHECK(info.bytes_sent > 50'000);
    CHECK(info.bytes_received > 100);
    CHECK(info.rtt >= milliseconds(20));
    CHECK(info.rtt < milliseconds(400));
    CHECK_FALSE(world.node(pair.server).connections().at(0).outbound);

    world.node(pair.client).disconnect(pair.server_id);
    const auto told = [](const Watch& watch) { return watch.count(NodeEvent::Kind::kDisconnected) == 1; };
    REQUIRE(world.run_until([&] { return told(client) && told(server); }, minutes(1)));
    CHECK(server.last(NodeEvent::Kind::kDisconnected)->error.code == Code::kConnectionClosed);
    CHECK(world.node(pair.client).connections().empty());
  });
}

TEST_CASE("over every road a protocol that nobody handles is said so", "[roads]") {
  over_each("unknown protocol", [](World& world, const NodeRoad& road) {
    const Pair pair = make_pair(world, road);
    Stream stream;
    stream.client.to_send = pattern(100, 1);
    world.node(pair.client).open_stream(pair.server_id, kProtocol, [&](Result<AgentStream*> s) {
      REQUIRE(s);
      stream.client.attach(**s);
    });
    REQUIRE(world.run_until([&] { return stream.client.over.has_value(); }, minutes(1)));
    CHECK(stream.client.over->code == Code::kProtocolUnsupported);
    CHECK(world.node(pair.client).connections().size() == 1);
  });
}
