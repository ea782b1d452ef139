#include "support.hpp"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include <catch2/catch.hpp>

#include "node/core.hpp"
#include "resource/manager.hpp"

namespace p2pa::sim {
namespace {

/// What holds after every turn of every scenario.
void check_bounds(World& world, NodeId node) {
  const resource::Manager& manager = world.node(node).core().resources();
  const auto& usage = manager.usage();
  const Limits& limits = manager.limits();
  if (usage.handshakes > limits.handshakes_max) world.fail("more handshakes than allowed");
  if (usage.connections > limits.connections_max) world.fail("more connections than allowed");
  if (usage.streams > limits.streams_max) world.fail("more streams than allowed");
  if (usage.calls > limits.calls_max) world.fail("more calls than allowed");
  if (usage.memory > limits.memory_max) world.fail("more memory than allowed");
}

std::uint64_t run_once(std::uint64_t seed, const std::string& scenario,
                       const std::function<void(World&)>& run, std::vector<std::string>* lines) {
  World world(seed, scenario);
  world.on_turn([&](NodeId node) { check_bounds(world, node); });
  if (lines != nullptr)
    world.on_trace([lines](const std::string& line) { lines->push_back(line); });
  run(world);
  CHECK(world.failure() == "");
  return world.trace_hash();
}

std::string first_difference(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::size_t i = 0;
  while (i < a.size() && i < b.size() && a[i] == b[i]) ++i;
  const std::string end = "(nothing more)";
  return "line " + std::to_string(i) + ":\n  " + (i < a.size() ? a[i] : end) + "\n  " +
         (i < b.size() ? b[i] : end);
}

}  // namespace

void for_seeds(int seeds, const std::string& scenario, const std::function<void(World&)>& run) {
  const char* only = std::getenv("P2PA_SIM_SEED");
  const bool print = std::getenv("P2PA_SIM_TRACE") != nullptr;
  for (int i = 1; i <= (only != nullptr ? 1 : seeds); ++i) {
    const std::uint64_t seed =
        only != nullptr ? std::strtoull(only, nullptr, 10) : static_cast<std::uint64_t>(i);
    INFO("replay: P2PA_SIM_SEED=" << seed << " test_scenarios, scenario \"" << scenario << '"');
    if (print) {
      std::vector<std::string> lines;
      run_once(seed, scenario, run, &lines);
      for (const std::string& line : lines) std::printf("%s\n", line.c_str());
      continue;
    }
    const std::uint64_t first = run_once(seed, scenario, run, nullptr);
    const std::uint64_t second = run_once(seed, scenario, run, nullptr);
    if (first == second) continue;
    std::vector<std::string> a, b;
    run_once(seed, scenario, run, &a);
    run_once(seed, scenario, run, &b);
    FAIL("two runs of one seed part at " << first_difference(a, b));
  }
}

NodeOptions listening(const std::string& address) {
  NodeOptions options;
  options.listen.push_back(*Multiaddr::parse(address));
  return options;
}

Pair make_pair(World& world, NodeOptions server_options, NodeOptions client_options) {
  const NodeId server = world.add_node(std::move(server_options));
  const NodeId client = world.add_node(std::move(client_options));
  serve_echo(world.node(server));
  introduce(world, client, server);
  return {server, client, world.node(server).id()};
}

void introduce(World& world, NodeId from, NodeId to) {
  REQUIRE(world.run_until([&] { return !world.node(to).addresses().empty(); }, seconds(1)));
  REQUIRE(world.node(from).add_address(world.node(to).id(), world.address(to)));
}

void serve_echo(Node& node) {
  REQUIRE(node.serve("echo", UnaryMethod([](const PeerId&, ByteView request) {
                       return std::expected<Bytes, ApplicationError>(
                           Bytes(request.begin(), request.end()));
                     })));
}

std::shared_ptr<Answer> call(World& world, NodeId from, const PeerId& to, std::string_view method,
                             ByteView request, CallOptions options) {
  auto answer = std::make_shared<Answer>();
  world.node(from).call(to, method, request, options,
                        [answer, &world](const CallOutcome& outcome, ByteView bytes) {
                          ++answer->ends;
                          answer->outcome = outcome;
                          answer->bytes.assign(bytes.begin(), bytes.end());
                          answer->at = world.now();
                          world.note(describe(outcome.error) + ' ' +
                                     std::to_string(outcome.application.code) + ' ' +
                                     std::string(as_text(bytes)));
                        });
  return answer;
}

Answer call_and_wait(World& world, NodeId from, const PeerId& to, std::string_view method,
                     ByteView request, CallOptions options) {
  const auto answer = call(world, from, to, method, request, options);
  world.run_until([&] { return answer->ends > 0; }, minutes(2));
  return *answer;
}

bool connect(World& world, NodeId from, const PeerId& to) {
  auto result = std::make_shared<std::optional<bool>>();
  world.node(from).dial(to, [result, &world](Result<ConnectionInfo> info) {
    *result = info.has_value();
    world.note(info ? "dialed " + std::to_string(info->id) : describe(info.error()));
  });
  return world.run_until([&] { return result->has_value(); }, minutes(2)) && **result;
}

Bytes pattern(std::size_t size, std::uint32_t salt) {
  Bytes out(size);
  std::uint32_t x = salt * 2654435761u + 1;
  for (std::uint8_t& byte : out) {
    x = x * 1664525u + 1013904223u;
    byte = static_cast<std::uint8_t>(x >> 24);
  }
  return out;
}

Watch::Watch(World& world, NodeId node) {
  world.node(node).on_event([entries = entries_, &world](const NodeEvent& event) {
    entries->push_back({world.now(), event});
  });
}

int Watch::count(NodeEvent::Kind kind) const {
  int n = 0;
  for (const Entry& entry : *entries_) n += entry.event.kind == kind ? 1 : 0;
  return n;
}

const NodeEvent* Watch::last(NodeEvent::Kind kind) const {
  for (auto it = entries_->rbegin(); it != entries_->rend(); ++it) {
    if (it->event.kind == kind) return &it->event;
  }
  return nullptr;
}

Instant Watch::last_at(NodeEvent::Kind kind) const {
  for (auto it = entries_->rbegin(); it != entries_->rend(); ++it) {
    if (it->event.kind == kind) return it->at;
  }
  return kNever;
}

}  // namespace p2pa::sim
