// Peers that finish no sentence, read nothing, or never have enough: the node stays up within its bounds,
// says why it ends what it ends, and its other connections do not notice. The accidents of others that are
// meant stand beside each.
#include <catch2/catch.hpp>

#include "node/core.hpp"
#include "resource/manager.hpp"
#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

/// A server with tight bounds, who attacks it, and who does not.
struct Scene {
  World& world;
  NodeId server, attacker, friendly;
  PeerId id;
  std::uint32_t asked = 0;

  static NodeOptions tight() {
    NodeOptions options = listening();
    options.limits.streams_max = 256;
    options.limits.streams_per_peer_max = 64;
    options.limits.streams_inbound_per_connection_max = 128;
    options.limits.calls_max = 64;
    options.limits.calls_per_peer_max = 32;
    options.limits.memory_max = 1 << 20;
    options.limits.memory_per_peer_max = 256 * 1024;
    options.serve_perf = true;
    return options;
  }

  explicit Scene(World& in) : world(in) {
    const Pair pair = make_pair(world, tight());
    server = pair.server;
    friendly = pair.client;
    id = pair.server_id;
    attacker = world.add_node({});
    introduce(world, attacker, server);
    REQUIRE(connect(world, attacker, id));
    check_others_do_not_notice();
  }

  const LimitUsage usage() { return world.node(server).usage(); }
  std::uint64_t refused(LimitCounters::Which which) { return world.node(server).limit_counters().refused[which]; }
  /// A call of somebody else is answered as if nothing were: in one round trip of 20 ms.
  void check_others_do_not_notice() {
    const Bytes request = pattern(500, ++asked);
    const Instant begin = world.now();
    const Answer answer = call_and_wait(world, friendly, id, "echo", request);
    CHECK(answer.ok());
    CHECK(answer.bytes == request);
    if (asked > 1) CHECK(answer.at - begin < milliseconds(25));
  }
  /// What the attack cost is given back when the attacker goes.
  void check_nothing_stays() {
    world.node(attacker).disconnect(id);
    world.run_for(minutes(1));
    CHECK(usage().streams <= 1);
    CHECK(usage().calls == 0);
    CHECK(usage().memory == 0);
    CHECK(world.node(server).connections().size() == 1);
    check_others_do_not_notice();
  }
};

/// Streams that the attacker opened, and why each ended.
struct Streams {
  std::vector<std::uint64_t> open;
  std::vector<Error> ends;
};

/// Opens a stream, says something on it and stops there.
void open_and_say(Scene& scene, Streams& streams, const char* protocol, Bytes words) {
  scene.world.node(scene.attacker)
      .open_stream(scene.id, protocol, [&streams, words = std::move(words)](Result<AgentStream*> stream) {
        if (!stream) return static_cast<void>(streams.ends.push_back(stream.error()));
        streams.open.push_back((*stream)->id());
        AgentStreamHandler handler;
        handler.on_end = [&streams](AgentStream&, const Error& why) { streams.ends.push_back(why); };
        (*stream)->set_handler(std::move(handler));
        static_cast<void>((*stream)->write(words));
      });
}

constexpr const char* kRpc = "/p2pagents/rpc/1.0.0";
constexpr const char* kSpoken[] = {kRpc, "/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0", "/ipfs/ping/1.0.0", "/perf/1.0.0"};

}  // namespace

TEST_CASE("one that opens streams for ever, each with half a frame, is held by its bounds and told why") {
  // GHSA-j7qp-mfxf-8xjw (go-libp2p before 0.18: streams without end), GHSA-jvgw-gccv-q5p8 (rust-libp2p before
  // 0.45.1: what is begun and never finished piles up)
  for_seeds(2, "streams for ever", [](World& world) {
    Scene scene(world);
    Streams streams;
    constexpr std::size_t kMany = 2000;
    for (std::size_t i = 0; i < kMany; ++i) open_and_say(scene, streams, kRpc, Bytes{100, 1, 2});
    for (int i = 0; i < 5; ++i) {
      world.run_for(seconds(1));
      CHECK(scene.usage().streams <= 64 + 2);
      CHECK(scene.usage().memory <= 256 * 1024);
      scene.check_others_do_not_notice();
    }
    CHECK(scene.refused(LimitCounters::kStreamsPerPeer) + scene.refused(LimitCounters::kCallsPerPeer) > 0);
    world.run_for(minutes(10));  // each is given up in its time
    CHECK(scene.usage().streams <= 2);
    CHECK(scene.usage().calls == 0);
    // Those that became calls, 32 at once, were told by a refusal, which this attacker does not read.
    CHECK(streams.ends.size() >= kMany - 32);
    std::size_t told = 0;
    for (const Error& why : streams.ends) told += why.code == Code::kStreamReset && why.detail != 0;
    CHECK(told == streams.ends.size());
    scene.check_nothing_stays();
  });
}

TEST_CASE("one that sends half a frame and stops is given up, on every protocol") {
  for_seeds(2, "half a frame", [](World& world) {
    Scene scene(world);
    Streams streams;
    for (const char* protocol : kSpoken) open_and_say(scene, streams, protocol, Bytes{60, 1, 2, 3});
    world.run_for(seconds(5));
    scene.check_others_do_not_notice();
    world.run_for(minutes(1));
    // A ping of which half has come costs its stream alone, and may wait.
    CHECK(streams.ends.size() >= std::size(kSpoken) - 2);
    scene.check_nothing_stays();
    CHECK(streams.ends.size() == std::size(kSpoken));
  });
}

TEST_CASE("truncated, oversized, repeated and reordered frames end their stream and nothing else") {
  for_seeds(2, "broken frames", [](World& world) {
    Scene scene(world);
    Streams streams;
    const Bytes oversized{0xff, 0xff, 0xff, 0x7f, 1};                // a frame of 256 MiB is announced
    const Bytes endless(2000, 0xff);                                 // a length without end
    const Bytes nothing(3000, 0);                                    // frames of no bytes
    const Bytes request{0x08, 0x95, 0x00, 0xa4, 'e', 'c', 'h', 'o', 0};
    Bytes repeated;
    for (int i = 0; i < 100; ++i) repeated.insert(repeated.end(), request.begin(), request.end());
    std::size_t count = 0;
    for (const char* protocol : kSpoken) {
      for (const Bytes& words : {oversized, endless, nothing, repeated, pattern(5000, 3)}) {
        open_and_say(scene, streams, protocol, words);
        ++count;
      }
    }
    world.run_for(seconds(3));
    scene.check_others_do_not_notice();
    CHECK(world.node(scene.attacker).connections().size() == 1);
    world.run_for(minutes(1));
    scene.check_nothing_stays();
    CHECK(streams.ends.size() == count);
  });
}

TEST_CASE("one that never reads what it asked for stops its own answers, in bounded memory") {
  // GHSA-jvgw-gccv-q5p8
  for_seeds(2, "never reads", [](World& world) {
    Scene scene(world);
    std::uint64_t ended_at_server = 0;
    REQUIRE(world.node(scene.server).serve("flood", Method([&](Call& incoming) {
      const auto pour = [](Call& call) {
        while (call.send(Bytes(4000, 1))) {}
      };
      CallHandler handler;
      handler.on_finished = pour;
      handler.on_writable = pour;
      handler.on_end = [&](Call&, const CallOutcome&) { ++ended_at_server; };
      incoming.set_handler(std::move(handler));
    })));
    constexpr std::size_t kMany = 30;
    std::vector<CallOutcome> ends;
    for (std::size_t i = 0; i < kMany; ++i) {
      CallHandler handler;
      handler.on_end = [&](Call&, const CallOutcome& outcome) { ends.push_back(outcome); };
      Call& call =
          *world.node(scene.attacker).open_call(scene.id, "flood", {.deadline = seconds(20)}, std::move(handler));
      call.pause();
      call.finish();
    }
    std::size_t most = 0;
    for (int i = 0; i < 10; ++i) {
      world.run_for(seconds(1));
      most = std::max(most, scene.usage().memory);
      scene.check_others_do_not_notice();
    }
    CHECK(most > 100 * 1024);  // it did try
    CHECK(most <= 256 * 1024 + 64 * 1024);
    world.run_for(minutes(1));
    CHECK(ends.size() == kMany);
    for (const CallOutcome& outcome : ends) CHECK_FALSE(outcome.ok());
    CHECK(ended_at_server > 0);
    scene.check_nothing_stays();
  });
}

TEST_CASE("one that comes again and again under new names is held at the bound of its address") {
  // GHSA-gcq9-qqwx-rgj3: names cost nothing
  for_seeds(1, "new names", [](World& world) {
    NodeOptions options = Scene::tight();
    options.limits.connections_per_ip_max = 4;
    const Pair pair = make_pair(world, std::move(options));
    CHECK(call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes("before")).ok());
    const HostId host = world.add_host();
    std::vector<std::shared_ptr<Answer>> answers;
    for (std::uint16_t i = 0; i < 12; ++i) {
      const NodeId name = world.add_node({}, host);
      introduce(world, name, pair.server);
      answers.push_back(call(world, name, pair.server_id, "echo", as_bytes("me too")));
      world.run_for(seconds(1));
    }
    world.run_for(minutes(1));
    int ok = 0;
    for (const auto& answer : answers) {
      CHECK(answer->ends == 1);
      ok += answer->ok() ? 1 : 0;
      if (!answer->ok()) CHECK(answer->outcome.error.code != Code::kInternal);
    }
    CHECK(ok == 4);
    CHECK(world.node(pair.server).limit_counters().refused[LimitCounters::kConnectionsPerIp] >= 8);
    CHECK(call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes("after")).ok());
  });
}
