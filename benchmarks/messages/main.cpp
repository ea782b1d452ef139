// bench_messages ours|enet ordered|unreliable BYTES: how many messages a second a UDP session of ours or ENet
// carries over loopback, and how long one takes at a steady rate, as a line of JSON. Ours are encrypted and
// authenticated, ENet's are not. Both ends share one thread.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "link.hpp"

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kFlowTime = std::chrono::milliseconds(500);
constexpr std::size_t kWindowBytes = 256 * 1024;  // on their way: no loss, whoever is slower
constexpr int kSteadyMessages = 2'000;
constexpr auto kSteadyPause = std::chrono::microseconds(500);

using MakeLink = std::unique_ptr<Link> (*)(Receiver);

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count();
}

double flow(MakeLink make, Kind kind, std::size_t size) {
  std::size_t sent = 0, received = 0;
  const auto link = make([&](std::span<const std::uint8_t>) { ++received; });
  const std::vector<std::uint8_t> message(size);
  const std::size_t window = kWindowBytes / size;
  const auto begin = Clock::now(), end = begin + kFlowTime;
  auto progress = begin;
  while (Clock::now() < end) {
    while (sent - received < window && link->send(kind, message)) ++sent;
    const std::size_t before = received;
    link->turn();
    if (received != before) progress = Clock::now();
    // What was lost comes no more.
    if (kind == Kind::kUnreliable && Clock::now() - progress > std::chrono::milliseconds(5)) sent = received;
  }
  return static_cast<double>(received) / std::chrono::duration<double>(Clock::now() - begin).count();
}

/// How long a message is under way, in µs, in rising order.
std::vector<double> steady(MakeLink make, Kind kind, std::size_t size) {
  std::vector<double> ways;
  const auto link = make([&](std::span<const std::uint8_t> message) {
    std::int64_t at = 0;
    std::memcpy(&at, message.data(), sizeof at);
    ways.push_back(static_cast<double>(now_ns() - at) / 1000);
  });
  std::vector<std::uint8_t> message(size);
  auto next = Clock::now();
  for (int i = 0; i < kSteadyMessages; ++i) {
    for (next += kSteadyPause; Clock::now() < next;) link->turn();
    const std::int64_t at = now_ns();
    std::memcpy(message.data(), &at, sizeof at);
    if (!link->send(kind, message)) die("a message was not taken");
  }
  for (const auto end = Clock::now() + std::chrono::milliseconds(50); Clock::now() < end;) link->turn();
  if (ways.empty()) die("nothing arrived");
  std::ranges::sort(ways);
  return ways;
}

void measure(const char* peer, MakeLink make, Kind kind, std::size_t size) {
  const double rate = flow(make, kind, size);
  const std::vector<double> ways = steady(make, kind, size);
  std::printf("{\"peer\": \"%s\", \"per_s\": %.0f, \"p50_us\": %.1f, \"p99_us\": %.1f}\n", peer, rate,
              ways[ways.size() / 2], ways[ways.size() * 99 / 100]);
}

}  // namespace

void die(const char* why) {
  std::fprintf(stderr, "bench_messages: %s\n", why);
  std::exit(1);
}

}  // namespace bench

int main(int argc, char** argv) {
  const std::string_view peer = argc == 4 ? argv[1] : "", kind = argc == 4 ? argv[2] : "";
  const int size = argc == 4 ? std::atoi(argv[3]) : 0;
  if ((peer != "ours" && peer != "enet") || (kind != "ordered" && kind != "unreliable") || size < 8 || size > 1100) {
    bench::die("usage: bench_messages ours|enet ordered|unreliable BYTES, of 8 to 1,100");
  }
  bench::measure(argv[1], peer == "enet" ? bench::make_enet_link : bench::make_session_link,
                 kind == "ordered" ? bench::Kind::kOrdered : bench::Kind::kUnreliable, static_cast<std::size_t>(size));
}
