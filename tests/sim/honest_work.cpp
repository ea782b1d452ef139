#include "honest_work.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

namespace p2pa::sim {
namespace {

constexpr std::uint64_t kUpload = 1 << 20, kDownload = 3 << 20;
constexpr Duration kNewcomerEvery = milliseconds(250);

}  // namespace

HonestWork::HonestWork(World& world, NodeOptions server) : world_(world) {
  world.set_default_link(kLink);
  server.serve_perf = true;
  pair_ = make_pair(world, std::move(server));
  for (std::size_t i = 0; i < kNewcomers; ++i) {
    newcomers_.push_back(world.add_node({}));
    introduce(world, newcomers_.back(), pair_.server);
  }
  REQUIRE(connect(world, pair_.client, pair_.server_id));
}

Duration HonestWork::run() {
  const Instant begin = world_.now();
  Duration bulk{};
  world_.node(pair_.client).perf(pair_.server_id, kUpload, kDownload, [&](Result<PerfResult> result) {
    CHECK(result.has_value());
    bulk = world_.now() - begin;
  });
  std::vector<std::shared_ptr<Answer>> answers;
  for (std::size_t i = 0; i < kNewcomers; ++i) {
    world_.after(kNewcomerEvery * static_cast<std::int64_t>(i + 1), [&, newcomer = newcomers_[i]] {
      answers.push_back(call(world_, newcomer, pair_.server_id, "echo", as_bytes("let me in")));
      static_cast<void>(world_.node(newcomer).post([](Node&) {}));  // so that it goes about it
    });
  }
  const auto over = [&] {
    const auto ended = [](const auto& answer) { return answer->ends > 0; };
    return bulk.ns > 0 && answers.size() == kNewcomers && std::ranges::all_of(answers, ended);
  };
  REQUIRE(world_.run_until(over, minutes(1)));
  for (const auto& answer : answers) CHECK(answer->ok());
  return bulk;
}

void check_goodput(const std::string& scenario, const std::function<NodeOptions(World&)>& server,
                   const Attack& attack) {
  for_seeds(1, scenario, [&](World& world) {
    World quiet(world.seed(), scenario + ", in peace");
    HonestWork undisturbed(quiet, server(quiet));
    const Duration in_peace = undisturbed.run();
    HonestWork work(world, server(world));
    const std::function<void()> check = attack(world, work);
    const Duration attacked = work.run();
    INFO("in peace " << in_peace.us() << " us, attacked " << attacked.us() << " us");
    CHECK(attacked.ns * 9 <= in_peace.ns * 10);
    check();
  });
}

}  // namespace p2pa::sim
