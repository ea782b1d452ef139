#include <catch2/catch.hpp>

#include <algorithm>

#include "node/core.hpp"
#include "resource/manager.hpp"
#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

constexpr std::uint64_t kRate = 20'000'000, kBytes = 8'000'000;

PerfResult download(World& world, CongestionControl control) {
  NodeOptions server = listening();
  server.serve_perf = true;
  server.congestion_control = control;
  NodeOptions client;
  client.congestion_control = control;
  const Pair pair = make_pair(world, std::move(server), std::move(client));
  REQUIRE(connect(world, pair.client, pair.server_id));
  auto result = std::make_shared<std::optional<Result<PerfResult>>>();
  world.node(pair.client).perf(pair.server_id, 0, kBytes, [result](Result<PerfResult> perf) {
    *result = perf;
  });
  REQUIRE(world.run_until([&] { return result->has_value(); }, minutes(1)));
  REQUIRE((*result)->has_value());
  return ***result;
}

}  // namespace

TEST_CASE("bulk fills at least four fifths of a link") {
  for (const auto control : {CongestionControl::kCubic, CongestionControl::kBbr}) {
    for_seeds(1, control == CongestionControl::kCubic ? "bulk, CUBIC" : "bulk, BBR",
              [&](World& world) {
                world.set_default_link(
                    {.delay = milliseconds(10), .rate_bits_per_s = kRate, .queue_bytes = 100'000});
                const PerfResult perf = download(world, control);
                CHECK(perf.bytes_down == kBytes);
                const double share = static_cast<double>(kBytes) * 8 / perf.download.seconds() /
                                     static_cast<double>(kRate);
                CHECK(share >= 0.8);
                CHECK(share <= 1.0);
              });
  }
}

TEST_CASE("perf over the bound on memory takes its time, and ends") {
  for_seeds(1, "perf over the memory bound", [](World& world) {
    NodeOptions server = listening(), client;
    server.serve_perf = true;
    server.limits.memory_per_peer_max = client.limits.memory_per_peer_max = 128 * 1024;
    server.limits.stream_window = client.limits.stream_window = 32 * 1024;
    server.limits.connection_window = client.limits.connection_window = 32 * 1024;
    const Pair pair = make_pair(world, std::move(server), std::move(client));
    auto result = std::make_shared<std::optional<Result<PerfResult>>>();
    world.node(pair.client).perf(pair.server_id, 3'000'000, 3'000'000, [result](Result<PerfResult> perf) {
      *result = perf;
    });
    REQUIRE(world.run_until([&] { return result->has_value(); }, minutes(5)));
    REQUIRE((*result)->has_value());
    CHECK((**result)->bytes_up == 3'000'000);
    CHECK((**result)->bytes_down == 3'000'000);
  });
}

TEST_CASE("256 MiB go through a stream over QUIC in bounded memory") {
  World world(1, "256 MiB");
  world.set_default_link({.delay = microseconds(100)});
  const Pair pair = make_pair(world);
  constexpr std::size_t kTotal = std::size_t{256} << 20;
  std::size_t received = 0, written = 0, memory_max = 0;
  bool ended = false;
  REQUIRE(world.node(pair.server).handle_protocol("/test/bulk/1", [&](AgentStream& stream) {
    AgentStreamHandler handler;
    handler.on_readable = [&](AgentStream& here) {
      while (!here.peek().empty()) {
        received += here.peek().size();
        here.consume(here.peek().size());
      }
      if (here.at_end()) here.finish();
    };
    stream.set_handler(std::move(handler));
  }));
  const Bytes piece(64 * 1024, 0x3c);
  const auto push = [&](AgentStream& stream) {
    while (written < kTotal) {
      const auto taken = stream.write(ByteView(piece).first(std::min(piece.size(), kTotal - written)));
      REQUIRE(taken);
      if (*taken == 0) return;
      written += *taken;
    }
    stream.finish();
  };
  world.node(pair.client).open_stream(pair.server_id, "/test/bulk/1", [&](Result<AgentStream*> stream) {
    REQUIRE(stream);
    AgentStreamHandler handler;
    handler.on_writable = push;
    handler.on_end = [&](AgentStream&, const Error& why) { ended = why.code == Code::kOk; };
    (*stream)->set_handler(std::move(handler));
    push(**stream);
  });
  world.on_turn([&](NodeId node) {
    memory_max = std::max(memory_max, world.node(node).core().resources().usage().memory);
  });
  REQUIRE(world.run_until([&] { return ended; }, hours(1)));
  CHECK(received == kTotal);
  // The sender's buffer, with what a chunk costs and one step kept against flutter; the receiver's window is as large.
  const Limits limits;
  CHECK(memory_max <= std::max(limits.send_buffer_max, limits.stream_window) + (128 << 10));
}

TEST_CASE("a stranger's perf is not served unless asked for") {
  for_seeds(1, "perf not served", [](World& world) {
    const Pair pair = make_pair(world);
    auto result = std::make_shared<std::optional<Result<PerfResult>>>();
    world.node(pair.client).perf(pair.server_id, 0, 1000, [result](Result<PerfResult> perf) {
      *result = perf;
    });
    REQUIRE(world.run_until([&] { return result->has_value(); }, minutes(1)));
    REQUIRE_FALSE((*result)->has_value());
    CHECK((*result)->error().code == Code::kProtocolUnsupported);
  });
}
