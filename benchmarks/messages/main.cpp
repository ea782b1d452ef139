// bench_messages: how many messages a second UDP sessions and ENet carry over loopback, and how long one takes
// at a steady rate. Ours are encrypted and authenticated, ENet's are not. Both ends share one thread, the runs
// take turns, and the median of them is printed.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "link.hpp"

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRuns = 5;
constexpr auto kFlowTime = std::chrono::milliseconds(500);
constexpr std::size_t kWindowBytes = 256 * 1024;  // on their way: no loss, whoever is slower
constexpr int kSteadyMessages = 2'000;
constexpr auto kSteadyPause = std::chrono::microseconds(500);

using MakeLink = std::unique_ptr<Link> (*)(Receiver);
struct Outcome {
  double per_second = 0, p50_us = 0, p99_us = 0;
};

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

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void compare(Kind kind, const char* name, std::size_t size) {
  constexpr MakeLink kMakers[] = {make_session_link, make_enet_link};
  std::vector<double> rates[2], middles[2], tails[2];
  for (int run = 0; run < kRuns; ++run) {
    for (int i = 0; i < 2; ++i) {
      rates[i].push_back(flow(kMakers[i], kind, size));
      const std::vector<double> ways = steady(kMakers[i], kind, size);
      middles[i].push_back(ways[ways.size() / 2]);
      tails[i].push_back(ways[ways.size() * 99 / 100]);
    }
  }
  Outcome of[2];
  for (int i = 0; i < 2; ++i) of[i] = {median(rates[i]), median(middles[i]), median(tails[i])};
  std::printf("%-10s %5zu B  %9.0f %9.0f  %5.2f   %7.1f %7.1f   %7.1f %7.1f  %5.2f\n", name, size, of[0].per_second,
              of[1].per_second, of[0].per_second / of[1].per_second, of[0].p50_us, of[1].p50_us, of[0].p99_us,
              of[1].p99_us, of[0].p99_us / of[1].p99_us);
  std::fflush(stdout);
}

}  // namespace

void die(const char* why) {
  std::fprintf(stderr, "bench_messages: %s\n", why);
  std::exit(1);
}

}  // namespace bench

int main() {
  std::printf("%19s  %26s   %15s   %22s\n", "", "messages/s", "p50, us", "p99, us");
  std::printf("%19s  %9s %9s  %5s   %7s %7s   %7s %7s  %5s\n", "", "session", "ENet", "ratio", "session", "ENet",
              "session", "ENet", "ratio");
  for (const std::size_t size : {std::size_t{64}, std::size_t{1024}}) {
    bench::compare(bench::Kind::kOrdered, "ordered", size);
    bench::compare(bench::Kind::kUnreliable, "unreliable", size);
  }
}
