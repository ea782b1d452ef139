// Our peer of the benchmarks. The contract, and what is ours alone, is in ../peers/README.md.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "cases.hpp"
#include "node.hpp"
#include "usage.hpp"

namespace bench {
namespace {

constexpr int kExitUsage = 2;

struct NamedCase {
  std::string_view command, name;
  Case run;
};
constexpr NamedCase kCases[] = {
    {"client", "bulk", bulk},         {"client", "pingpong", pingpong}, {"client", "connect", connect},
    {"client", "idle", idle},         {"client", "quiet", quiet},       {"client", "rpc", rpc},
    {"client", "messages", messages}, {"client", "urgent", urgent},     {"client", "batching", batching},
    {"client", "compression", compression}, {"alone", "start", start},        {"alone", "alloc", allocations},
};

Case find_case(const Options& options) {
  for (const NamedCase& one : kCases) {
    if (one.command == options.command && one.name == options.case_name) return one.run;
  }
  return nullptr;
}

bool set_option(Options& options, std::string_view name, const char* text) {
  if (name == "--wss") {
    options.wss = text;
    return true;
  }
  const struct {
    std::string_view name;
    std::int64_t& value;
  } known[] = {{"--bytes", options.bytes},     {"--size", options.size},       {"--rounds", options.rounds},
               {"--depth", options.depth},     {"--count", options.count},     {"--parallel", options.parallel},
               {"--seconds", options.seconds}, {"--resume", options.resume},   {"--outward", options.outward},
               {"--since", options.since_ns},  {"--outside", options.outside},
               {"--tcp", options.tcp},         {"--ws", options.ws},           {"--tls", options.tls},
               {"--udp", options.udp},
               {"--cpu", options.cpu}};
  for (const auto& one : known) {
    if (one.name != name) continue;
    char* end = nullptr;
    one.value = std::strtoll(text, &end, 10);
    return end != text && *end == '\0' && one.value >= 0;
  }
  return false;
}

int usage() {
  std::fputs(
      "usage: p2pa_bench_peer server [--outside 1] [--tcp 1 | --ws 1 | --wss DIR | --udp 1] [--tls 1] [--cpu N]\n"
      "       p2pa_bench_peer client ADDRESS CASE [options]\n"
      "       CASE: bulk|pingpong|connect|idle|quiet|rpc|messages|urgent|batching|compression\n"
      "       p2pa_bench_peer alone start|alloc [options]\n"
      "options: --bytes --size --rounds --depth --count --parallel --seconds --resume --outward --since --tls --cpu\n",
      stderr);
  return kExitUsage;
}

}  // namespace

std::optional<Options> parse_options(int argc, char** argv) {
  Options options;
  int at = 1;
  const auto next = [&] { return at < argc ? argv[at++] : ""; };
  options.command = next();
  if (options.command == "client") options.address = next();
  if (options.command != "server") options.case_name = next();
  if (options.command != "server" && find_case(options) == nullptr) return std::nullopt;
  for (; at + 1 < argc; at += 2) {
    if (!set_option(options, argv[at], argv[at + 1])) return std::nullopt;
  }
  if (at < argc || options.size == 0 || options.rounds == 0 || options.depth == 0) return std::nullopt;
  return options;
}

}  // namespace bench

int main(int argc, char** argv) {
  const auto options = bench::parse_options(argc, argv);
  if (!options) return bench::usage();
  bench::pin(options->cpu);
  bench::choose_transport(*options);
  if (options->command == "server") {
    bench::run_server(*options);
  } else {
    bench::find_case(*options)(*options);
  }
  return 0;
}
