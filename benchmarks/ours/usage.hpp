#pragma once
// What this process uses, where it runs, and how it tells.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "p2pagents/time.hpp"

namespace bench {

using Json = nlohmann::ordered_json;

double cpu_s();
std::int64_t rss_kib();
void pin(std::int64_t cpu);
/// CLOCK_MONOTONIC.
p2pa::Instant now();
inline double seconds_since(p2pa::Instant start) { return (now() - start).seconds(); }

/// {"<prefix>p50_us", "<prefix>p99_us"}; sorts the times.
Json percentiles_us(std::vector<p2pa::Duration>& times, const char* prefix = "");
/// One line on stdout.
void print_line(const Json& line);
/// Complains on stderr and ends the process.
[[noreturn]] void die(const std::string& why);

/// Wall and CPU time of the measured part.
class Meter {
 public:
  /// Adds "seconds", "cpu_s", and "per_s" of this many.
  void add_to(Json& line, std::int64_t count) const;
  double seconds() const { return seconds_since(start_); }

 private:
  double cpu_before_s_ = cpu_s();
  p2pa::Instant start_ = now();
};

}  // namespace bench
