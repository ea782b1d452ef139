#include "sim/link.hpp"

#include <algorithm>

namespace p2pa::sim {
namespace {

Duration time_on_wire(std::size_t bytes, std::uint64_t rate_bits_per_s) {
  return nanoseconds(
      static_cast<std::int64_t>(bytes * std::uint64_t{8'000'000'000} / rate_bits_per_s));
}

/// Two states, of which one loses everything: it is left with the chance 1 / burst, and entered with the one
/// that makes `loss` the share of packets lost (Gilbert 1960).
bool loses(Link& link, const LinkOptions& options, Rng& rng) {
  if (options.loss_burst <= 1 || options.loss >= 1) return chance(rng, options.loss);
  const double leave = 1 / options.loss_burst;
  link.losing = link.losing ? !chance(rng, leave) : chance(rng, options.loss * leave / (1 - options.loss));
  return link.losing;
}

}  // namespace

std::optional<Instant> pass(Link& link, const LinkOptions& options, Instant now, std::size_t size,
                            Rng& rng, Stats& stats) {
  if (link.cut) return ++stats.cut, std::nullopt;
  if (size > options.mtu) return ++stats.oversized, std::nullopt;
  Instant leaves = now;
  if (options.rate_bits_per_s != 0) {
    const Instant begins = std::max(now, link.busy_until);
    if (begins - now > time_on_wire(options.queue_bytes, options.rate_bits_per_s)) {
      return ++stats.overflowed, std::nullopt;
    }
    leaves = begins + time_on_wire(size, options.rate_bits_per_s);
    link.busy_until = leaves;
  }
  if (loses(link, options, rng)) return ++stats.lost, std::nullopt;
  Instant arrives = leaves + options.delay;
  if (options.jitter.ns > 0) {
    arrives = arrives + nanoseconds(static_cast<std::int64_t>(
                            rng.below(static_cast<std::uint64_t>(options.jitter.ns) + 1)));
  }
  if (chance(rng, options.reorder)) return arrives + options.reorder_delay;
  link.last_arrival = std::max(arrives, link.last_arrival);
  return link.last_arrival;
}

}  // namespace p2pa::sim
