#include <catch2/catch.hpp>

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
