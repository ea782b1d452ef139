#pragma once
// Time as the core sees it: an argument, never a call. Nanoseconds in 64 bits (292 years).
// (<chrono> costs a third of a second per translation unit; these two structs cost nothing.)

#include <compare>
#include <cstdint>
#include <limits>

namespace p2pa {

/// A length of time; negative ones are legal.
struct Duration {
  std::int64_t ns = 0;

  constexpr auto operator<=>(const Duration&) const = default;
  constexpr Duration operator+(Duration o) const { return {ns + o.ns}; }
  constexpr Duration operator-(Duration o) const { return {ns - o.ns}; }
  constexpr Duration operator*(std::int64_t k) const { return {ns * k}; }
  constexpr Duration operator/(std::int64_t k) const { return {ns / k}; }
  constexpr std::int64_t us() const { return ns / 1'000; }
  constexpr std::int64_t ms() const { return ns / 1'000'000; }
  constexpr double seconds() const { return static_cast<double>(ns) * 1e-9; }
};

constexpr Duration nanoseconds(std::int64_t n) { return {n}; }
constexpr Duration microseconds(std::int64_t n) { return {n * 1'000}; }
constexpr Duration milliseconds(std::int64_t n) { return {n * 1'000'000}; }
constexpr Duration seconds(std::int64_t n) { return {n * 1'000'000'000}; }
constexpr Duration minutes(std::int64_t n) { return seconds(60 * n); }
constexpr Duration hours(std::int64_t n) { return minutes(60 * n); }

/// A point on the driver's monotonic clock. Zero has no meaning of its own; `kNever` is later than
/// every real instant and is what a machine without a deadline answers.
struct Instant {
  std::int64_t ns = 0;

  constexpr auto operator<=>(const Instant&) const = default;
  constexpr Instant operator+(Duration d) const { return {ns + d.ns}; }
  constexpr Instant operator-(Duration d) const { return {ns - d.ns}; }
  constexpr Duration operator-(Instant o) const { return {ns - o.ns}; }
};

inline constexpr Instant kNever{std::numeric_limits<std::int64_t>::max()};

}  // namespace p2pa
