// Who goes first, and how fast: whole nodes, over QUIC and over TCP, with bytes counted over virtual time.
#include <catch2/catch.hpp>

#include <algorithm>
#include <map>

#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

constexpr const char* kQuic = "/ip4/0.0.0.0/udp/4001/quic-v1";
constexpr const char* kUdp = "/ip4/0.0.0.0/udp/4001/p2pa-udp";
constexpr const char* kTcp = "/ip4/0.0.0.0/tcp/4001";
constexpr std::size_t kEndless = std::size_t{1} << 40;
/// What is not limited moves 5 MB in a second.
constexpr LinkOptions kRoad{.rate_bits_per_s = 40'000'000};
constexpr const char* kBulk = "/test/bulk/1";
constexpr const char* kOther = "/test/other/1";

std::uint8_t byte_at(std::size_t i) { return static_cast<std::uint8_t>(i * 7 + (i >> 8)); }

/// One direction of bytes from one node to another, each of which says where it belongs.
struct Flow {
  std::size_t size = kEndless;
  std::size_t written = 0, read = 0;
  bool intact = true, ended = false;
  std::optional<Error> failed;
  AgentStream* stream = nullptr;  // the writer's

  void take(AgentStream& here) {
    while (!here.peek().empty()) {
      const ByteView bytes = here.peek();
      for (std::size_t i = 0; i < bytes.size(); ++i) intact = intact && bytes[i] == byte_at(read + i);
      read += bytes.size();
      here.consume(bytes.size());
    }
    if (here.at_end()) {
      ended = true;
      here.finish();
    }
  }
  void push(AgentStream& here) {
    Bytes piece(16 * 1024);
    while (written < size) {
      piece.resize(std::min(piece.size(), size - written));
      for (std::size_t i = 0; i < piece.size(); ++i) piece[i] = byte_at(written + i);
      const auto taken = here.write(piece);
      if (!taken || *taken == 0) return;
      written += *taken;
    }
    here.finish();
  }
};

/// The next stream on the protocol that comes to the node is the flow's.
void serve(World& world, NodeId at, const char* protocol, const std::shared_ptr<std::vector<Flow*>>& flows) {
  const auto next = std::make_shared<std::size_t>(0);
  REQUIRE(world.node(at).handle_protocol(protocol, [flows, next](AgentStream& stream) {
    Flow& flow = *flows->at((*next)++);
    AgentStreamHandler handler;
    handler.on_readable = [&flow](AgentStream& here) { flow.take(here); };
    handler.on_end = [&flow](AgentStream&, const Error& why) {
      if (why.code != Code::kOk) flow.failed = why;
    };
    stream.set_handler(std::move(handler));
  }));
}

void open(World& world, NodeId from, const PeerId& to, const char* protocol, Flow& flow, Priority priority) {
  world.node(from).open_stream(to, protocol, [&flow, priority](Result<AgentStream*> stream) {
    REQUIRE(stream);
    flow.stream = *stream;
    (*stream)->set_priority(priority);
    AgentStreamHandler handler;
    handler.on_writable = [&flow](AgentStream& here) { flow.push(here); };
    handler.on_end = [&flow](AgentStream&, const Error&) { flow.stream = nullptr; };
    (*stream)->set_handler(std::move(handler));
    flow.push(**stream);
  });
}

std::shared_ptr<std::vector<Flow*>> list(std::vector<Flow*> flows) {
  return std::make_shared<std::vector<Flow*>>(std::move(flows));
}

/// Does the world fail, or is what came not what was sent?
void check_intact(World& world, const std::vector<Flow*>& flows) {
  CHECK(world.failure().empty());
  for (const Flow* flow : flows) {
    CHECK(flow->intact);
    CHECK_FALSE(flow->failed);
  }
}

/// Pings until it has `count` answers; the slowest of them.
Duration slowest_ping(World& world, NodeId from, const PeerId& to, int count) {
  Duration worst{};
  for (int i = 0; i < count; ++i) {
    const auto rtt = std::make_shared<std::optional<Result<Duration>>>();
    world.node(from).ping(to, [rtt](Result<Duration> result) { *rtt = result; });
    REQUIRE(world.run_until([&] { return rtt->has_value(); }, minutes(1)));
    REQUIRE(**rtt);
    worst = std::max(worst, ***rtt);
    world.run_for(milliseconds(37));
  }
  return worst;
}

}  // namespace

TEST_CASE("a limit holds a node, a peer and a protocol to its rate, each direction, over QUIC, UDP sessions and TCP") {
  constexpr RateLimit kLimit{.bytes_per_second = 200'000, .burst_bytes = 20'000};
  for (const char* address : {kQuic, kUdp, kTcp}) {
    for (const char* scope : {"", "peer", kBulk}) {
      for (const Direction direction : {Direction::kOutbound, Direction::kInbound}) {
        const bool out = direction == Direction::kOutbound;
        for_seeds(1, std::string("rate limit ") + address + " " + scope + (out ? " out" : " in"), [&](World& world) {
          world.set_default_link(kRoad);
          const Pair pair = make_pair(world, listening(address));
          Flow flow, other;
          other.size = 4'000'000;
          serve(world, pair.server, kBulk, list({&flow}));
          serve(world, pair.server, kOther, list({&other}));
          REQUIRE(connect(world, pair.client, pair.server_id));
          const NodeId limited = out ? pair.client : pair.server;
          const PeerId peer = world.node(out ? pair.server : pair.client).id();
          const std::string name = std::string(scope) == "peer" ? peer.to_string() : scope;
          REQUIRE(world.node(limited).set_rate_limit(name, direction, kLimit));
          open(world, pair.client, pair.server_id, kBulk, flow, Priority::kBulk);
          for (int second = 1; second <= 4; ++second) {
            world.run_for(seconds(1));
            CHECK(flow.read <= 20'000 + 200'000u * second);
            CHECK(flow.read >= 200'000u * second - 10'000);
          }
          // Another protocol is limited when the node or the peer is.
          open(world, pair.client, pair.server_id, kOther, other, Priority::kBulk);
          const std::size_t before = flow.read;
          world.run_for(seconds(4));
          const std::size_t both = flow.read - before + other.read;
          if (std::string(scope) == kBulk) {
            CHECK(other.read > 2'000'000);
            CHECK(flow.read - before >= 760'000);  // it shares the road with what fills that
          } else {
            CHECK(both <= 820'000);
            CHECK(both >= 780'000);
            CHECK(other.read >= 300'000);
          }
          check_intact(world, {&flow, &other});
        });
      }
    }
  }
}

TEST_CASE("what falls under a peer's limit does not slow another peer") {
  for_seeds(1, "a limit of one peer", [](World& world) {
    world.set_default_link(kRoad);
    const NodeId client = world.add_node({});
    const NodeId slow = world.add_node(listening(kQuic)), fast = world.add_node(listening(kTcp));
    introduce(world, client, slow);
    introduce(world, client, fast);
    Flow to_slow, to_fast;
    serve(world, slow, kBulk, list({&to_slow}));
    serve(world, fast, kBulk, list({&to_fast}));
    const PeerId slow_id = world.node(slow).id();
    REQUIRE(world.node(client).set_rate_limit(slow_id.to_string(), Direction::kOutbound,
                                              {.bytes_per_second = 50'000, .burst_bytes = 10'000}));
    open(world, client, slow_id, kBulk, to_slow, Priority::kBulk);
    open(world, client, world.node(fast).id(), kBulk, to_fast, Priority::kBulk);
    world.run_for(seconds(4));
    CHECK(to_slow.read <= 210'000);
    CHECK(to_slow.read >= 180'000);
    CHECK(to_fast.read > 4'000'000);
    check_intact(world, {&to_slow, &to_fast});
  });
}

TEST_CASE("a limit changes while bytes are under way, and goes") {
  for (const char* address : {kQuic, kUdp, kTcp}) {
    for (const Direction direction : {Direction::kOutbound, Direction::kInbound}) {
      for_seeds(1, std::string("a limit changes ") + address, [&](World& world) {
        world.set_default_link(kRoad);
        const Pair pair = make_pair(world, listening(address));
        Flow flow;
        serve(world, pair.server, kBulk, list({&flow}));
        REQUIRE(connect(world, pair.client, pair.server_id));
        open(world, pair.client, pair.server_id, kBulk, flow, Priority::kBulk);
        Node& node = world.node(direction == Direction::kOutbound ? pair.client : pair.server);
        const auto in_two_seconds = [&] {
          const std::size_t before = flow.read;
          world.run_for(seconds(2));
          return flow.read - before;
        };
        world.run_for(milliseconds(700));
        CHECK(flow.read > 1'000'000);
        REQUIRE(node.set_rate_limit("", direction, {.bytes_per_second = 100'000, .burst_bytes = 2000}));
        world.run_for(milliseconds(200));  // what was with the network, or shown, when it was said
        const std::size_t slow = in_two_seconds();
        CHECK(slow <= 202'000);
        CHECK(slow >= 195'000);
        REQUIRE(node.set_rate_limit("", direction, {.bytes_per_second = 500'000, .burst_bytes = 2000}));
        const std::size_t faster = in_two_seconds();
        CHECK(faster <= 1'010'000);
        CHECK(faster >= 950'000);
        CHECK((*node.rate_limit("", direction))->bytes_per_second == 500'000);
        REQUIRE(node.clear_rate_limit("", direction));
        const std::size_t before = flow.read;
        world.run_for(milliseconds(700));
        CHECK(flow.read - before > 1'000'000);
        CHECK(node.clear_rate_limit("", direction).error().code == Code::kNotFound);
        check_intact(world, {&flow});
      });
    }
  }
}

TEST_CASE("calls that are held back by a limit all come, whole and in their time") {
  for (const char* address : {kQuic, kUdp, kTcp}) {
    for_seeds(1, std::string("calls under a limit ") + address, [&](World& world) {
      const Pair pair = make_pair(world, listening(address));
      REQUIRE(connect(world, pair.client, pair.server_id));
      REQUIRE(world.node(pair.server).set_rate_limit("", Direction::kInbound,
                                                     {.bytes_per_second = 100'000, .burst_bytes = 10'000}));
      const Instant begin = world.now();
      std::vector<std::shared_ptr<Answer>> answers;
      for (std::uint32_t i = 0; i < 50; ++i) {
        answers.push_back(call(world, pair.client, pair.server_id, "echo", pattern(10'000, i)));
      }
      const auto done = [&] { return std::ranges::all_of(answers, [](const auto& a) { return a->ends == 1; }); };
      REQUIRE(world.run_until(done, seconds(20)));
      for (std::uint32_t i = 0; i < 50; ++i) {
        CHECK(answers[i]->ok());
        CHECK(answers[i]->bytes == pattern(10'000, i));
      }
      CHECK(world.now() - begin >= milliseconds(4900));
      CHECK(world.now() - begin <= milliseconds(5500));
    });
  }
}

TEST_CASE("where connections share a limit, the more urgent class goes first on all of them, and bulk goes on") {
  for_seeds(1, "a shared limit", [](World& world) {
    const NodeId client = world.add_node({});
    std::vector<NodeId> servers;
    std::vector<std::unique_ptr<Flow>> flows;
    for (int i = 0; i < 4; ++i) {
      servers.push_back(world.add_node(listening(i % 2 == 0 ? kQuic : kTcp)));
      introduce(world, client, servers.back());
      flows.push_back(std::make_unique<Flow>());
      serve(world, servers.back(), kBulk, list({flows.back().get()}));
      serve_echo(world.node(servers.back()));
      REQUIRE(connect(world, client, world.node(servers.back()).id()));
    }
    const Duration idle = slowest_ping(world, client, world.node(servers[3]).id(), 5);
    REQUIRE(world.node(client).set_rate_limit("", Direction::kOutbound, {.bytes_per_second = 500'000}));
    for (std::size_t i = 0; i < 4; ++i) {
      open(world, client, world.node(servers[i]).id(), kBulk, *flows[i], Priority::kBulk);
    }
    world.run_for(seconds(1));
    // At most a piece goes before it: a hundredth of a second's, and one that was begun.
    for (const std::size_t i : {2u, 3u}) {
      CHECK(slowest_ping(world, client, world.node(servers[i]).id(), 10) <= idle + milliseconds(25));
    }
    const Instant asked = world.now();
    const Answer answer = call_and_wait(world, client, world.node(servers[3]).id(), "echo", pattern(50'000, 1));
    REQUIRE(answer.ok());
    CHECK(answer.at - asked <= milliseconds(250));  // of which its own bytes need 114
    const std::size_t before = flows[0]->read + flows[1]->read + flows[2]->read + flows[3]->read;
    world.run_for(seconds(4));
    std::size_t after = 0;
    for (const auto& flow : flows) {
      after += flow->read;
      CHECK(flow->intact);
      CHECK(flow->read > 300'000);  // alike, whatever carries them
    }
    CHECK(after - before >= 1'900'000);
    CHECK(after - before <= 2'100'000);
  });
}

TEST_CASE("of two streams of one connection the more urgent is first, also when it comes later") {
  for (const char* address : {kQuic, kTcp}) {
    for_seeds(1, std::string("priorities ") + address, [&](World& world) {
      world.set_default_link({.delay = milliseconds(10), .rate_bits_per_s = 20'000'000, .queue_bytes = 60'000});
      const Pair pair = make_pair(world, listening(address));
      Flow bulk, urgent;
      bulk.size = 4'000'000;
      urgent.size = 200'000;  // within the window that Yamux begins with
      serve(world, pair.server, kBulk, list({&bulk}));
      serve(world, pair.server, kOther, list({&urgent}));
      REQUIRE(connect(world, pair.client, pair.server_id));
      open(world, pair.client, pair.server_id, kBulk, bulk, Priority::kBulk);
      world.run_for(milliseconds(300));
      const std::size_t before = bulk.read;
      open(world, pair.client, pair.server_id, kOther, urgent, Priority::kInteractive);
      REQUIRE(world.run_until([&] { return urgent.ended; }, seconds(30)));
      // An eighth goes to who waits; over TCP what its send buffer has comes first, 512 KiB of them in the world.
      const std::size_t ahead = std::string(address) == kTcp ? 600'000 : 100'000;
      CHECK(bulk.read - before <= 200'000 / 7 + ahead);
      CHECK(bulk.read > before);  // and does not starve
      REQUIRE(world.run_until([&] { return bulk.ended; }, seconds(30)));
      check_intact(world, {&bulk, &urgent});
    });
  }
}

TEST_CASE("a stream's class can be changed while it sends") {
  for_seeds(1, "a changed class", [](World& world) {
    world.set_default_link({.delay = milliseconds(5), .rate_bits_per_s = 20'000'000, .queue_bytes = 60'000});
    const Pair pair = make_pair(world, listening(kQuic));
    Flow one, two;
    serve(world, pair.server, kBulk, list({&one, &two}));
    REQUIRE(connect(world, pair.client, pair.server_id));
    open(world, pair.client, pair.server_id, kBulk, one, Priority::kInteractive);
    open(world, pair.client, pair.server_id, kBulk, two, Priority::kBulk);
    world.run_for(seconds(3));
    CHECK(one.read > 5 * two.read);
    CHECK(two.read > one.read / 10);
    one.stream->set_priority(Priority::kBulk);
    two.stream->set_priority(Priority::kInteractive);
    world.run_for(milliseconds(200));
    const std::size_t one_before = one.read, two_before = two.read;
    world.run_for(seconds(3));
    CHECK(two.read - two_before > 5 * (one.read - one_before));
    CHECK(one.read - one_before > (two.read - two_before) / 10);
    check_intact(world, {&one, &two});
  });
}

TEST_CASE("a ping beside bulk waits for what is with the network already, and for nothing else") {
  for_seeds(1, "a ping beside bulk", [](World& world) {
    constexpr std::size_t kQueue = 40'000;
    world.set_default_link({.delay = milliseconds(10), .rate_bits_per_s = 20'000'000, .queue_bytes = kQueue});
    const Pair pair = make_pair(world, listening(kQuic));
    std::vector<std::unique_ptr<Flow>> flows;
    std::vector<Flow*> all;
    for (int i = 0; i < 8; ++i) all.push_back(flows.emplace_back(std::make_unique<Flow>()).get());
    serve(world, pair.server, kBulk, list(all));
    REQUIRE(connect(world, pair.client, pair.server_id));
    const Duration idle = slowest_ping(world, pair.client, pair.server_id, 5);
    for (Flow* flow : all) open(world, pair.client, pair.server_id, kBulk, *flow, Priority::kBulk);
    world.run_for(seconds(1));
    const Duration queue{kQueue * 8 * 1'000'000'000 / 20'000'000};
    CHECK(slowest_ping(world, pair.client, pair.server_id, 50) <= idle * 2 + queue);
  });
}

TEST_CASE("small messages of one turn share packets") {
  for (const char* address : {kQuic, kTcp}) {
    for_seeds(1, std::string("small messages ") + address, [&](World& world) {
      const Pair pair = make_pair(world, listening(address));
      Flow flow;
      flow.size = 0;
      serve(world, pair.server, kBulk, list({&flow}));
      int heard = 0;
      REQUIRE(world.node(pair.server).serve("log", Method([&heard](Call& call) {
        CallHandler handler;
        handler.on_message = [&heard](Call&, ByteView) { ++heard; };
        call.set_handler(std::move(handler));
      })));
      REQUIRE(connect(world, pair.client, pair.server_id));
      AgentStream* stream = nullptr;
      world.node(pair.client).open_stream(pair.server_id, kBulk,
                                          [&](Result<AgentStream*> opened) { stream = *opened; });
      world.run_for(seconds(1));
      REQUIRE(stream != nullptr);

      // On one stream: 32,000 bytes are 23 packets of 1,400, and half as many acknowledgements.
      std::uint64_t before = world.stats().sent;
      world.node(pair.client).post([stream](Node&) {
        Bytes message(32);
        for (int i = 0; i < 1000; ++i) {
          for (std::size_t at = 0; at < message.size(); ++at) message[at] = byte_at(std::size_t(i) * 32 + at);
          REQUIRE(stream->write(message) == message.size());
        }
      });
      REQUIRE(world.run_until([&] { return flow.read == 32'000; }, seconds(1)));
      CHECK(world.stats().sent - before <= 60);
      check_intact(world, {&flow});

      // On a stream each, with the name of the protocol and of the method: some 80 bytes of them.
      world.run_for(seconds(1));
      before = world.stats().sent;
      const int messages = 200;  // as many streams as a peer surely takes at once
      for (int i = 0; i < messages; ++i) world.node(pair.client).notify(pair.server_id, "log", Bytes(32));
      REQUIRE(world.run_until([&] { return heard == messages; }, seconds(5)));
      CHECK(world.stats().sent - before <= 60);
    });
  }
}
