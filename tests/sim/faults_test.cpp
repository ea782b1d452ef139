#include <catch2/catch.hpp>

#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

constexpr std::uint32_t kCalls = 40;

/// Many calls of mixed sizes at once; each must come back with its own bytes.
void exchange(World& world) {
  const Pair pair = make_pair(world);
  std::vector<std::shared_ptr<Answer>> answers;
  for (std::uint32_t i = 0; i < kCalls; ++i) {
    const std::size_t size = std::size_t{1} << (i % 16);
    answers.push_back(call(world, pair.client, pair.server_id, "echo", pattern(size, i),
                           {.deadline = minutes(2)}));
  }
  world.run_for(minutes(2));
  for (std::uint32_t i = 0; i < kCalls; ++i) {
    INFO("call " << i << ": " << describe(answers[i]->outcome.error));
    CHECK(answers[i]->ok());
    CHECK(answers[i]->bytes == pattern(std::size_t{1} << (i % 16), i));
  }
}

}  // namespace

TEST_CASE("every call is answered rightly whatever is lost") {
  for (const double loss : {0.01, 0.03, 0.10}) {
    for_seeds(3, "loss " + std::to_string(loss), [&](World& world) {
      world.set_default_link({.delay = milliseconds(20), .loss = loss});
      exchange(world);
      CHECK(world.stats().lost > 0);
    });
  }
}

TEST_CASE("every call is answered rightly whatever is reordered") {
  for_seeds(3, "reordering", [](World& world) {
    world.set_default_link({.delay = milliseconds(20),
                            .jitter = milliseconds(3),
                            .reorder = 0.1,
                            .reorder_delay = milliseconds(8)});
    exchange(world);
  });
}

TEST_CASE("every call is answered once whatever is duplicated") {
  for_seeds(3, "duplication", [](World& world) {
    world.set_default_link({.delay = milliseconds(20), .duplicate = 0.2});
    exchange(world);
    CHECK(world.stats().duplicated > 0);
  });
}

TEST_CASE("every call is answered rightly when everything goes wrong at once") {
  for_seeds(5, "loss, reordering, duplication, a slow link with a small MTU", [](World& world) {
    world.set_default_link({.delay = milliseconds(30),
                            .jitter = milliseconds(10),
                            .loss = 0.05,
                            .duplicate = 0.05,
                            .reorder = 0.05,
                            .reorder_delay = milliseconds(20),
                            .rate_bits_per_s = 10'000'000,
                            .queue_bytes = 64 * 1024,
                            .mtu = 1280});
    exchange(world);
  });
}

TEST_CASE("a path that is lossy in one direction only is survived in both") {
  for_seeds(2, "one-way loss", [](World& world) {
    const HostId a = world.add_host(), b = world.add_host();
    world.set_link_one_way(a, b, {.delay = milliseconds(20), .loss = 0.2});
    world.set_link_one_way(b, a, {.delay = milliseconds(5)});
    const NodeId server = world.add_node(listening(), b), client = world.add_node({}, a);
    serve_echo(world.node(server));
    introduce(world, client, server);
    const Bytes request = pattern(20'000, 1);
    const Answer answer = call_and_wait(world, client, world.node(server).id(), "echo", request);
    CHECK(answer.ok());
    CHECK(answer.bytes == request);
  });
}
