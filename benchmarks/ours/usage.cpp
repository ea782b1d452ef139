#include "usage.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

namespace bench {

double cpu_s() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::int64_t rss_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "VmRSS:") {
      std::int64_t kib = 0;
      status >> kib;
      return kib;
    }
  }
  return 0;
}

void pin(std::int64_t cpu) {
  if (cpu < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<int>(cpu), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) die("cannot run on this CPU");
}

p2pa::Instant now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return {t.tv_sec * 1'000'000'000 + t.tv_nsec};
}

Json percentiles_us(std::vector<p2pa::Duration>& times, const char* prefix) {
  std::ranges::sort(times);
  const auto at = [&](std::size_t percent) {
    return static_cast<double>(times[times.size() * percent / 100].ns) * 1e-3;
  };
  return {{std::string(prefix) + "p50_us", at(50)}, {std::string(prefix) + "p99_us", at(99)}};
}

void print_line(const Json& line) {
  std::puts(line.dump().c_str());
  std::fflush(stdout);
}

void die(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::_Exit(1);
}

void Meter::add_to(Json& line, std::int64_t count) const {
  const double elapsed = seconds();
  line["per_s"] = static_cast<double>(count) / elapsed;
  line["seconds"] = elapsed;
  line["cpu_s"] = cpu_s() - cpu_before_s_;
}

}  // namespace bench
