#pragma once
#include <cstddef>
#include <memory>
#include <optional>

#include "crypto/rng.hpp"
#include "p2pagents/sim.hpp"

namespace p2pa::sim {

/// One direction between two hosts: options of its own, or the world's default ones.
struct Link {
  std::unique_ptr<LinkOptions> options;  ///< null: the default ones
  bool cut = false;
  Instant busy_until{};    ///< the last bit of what was queued has left
  Instant last_arrival{};  ///< of what keeps its order
  bool losing = false;     ///< in a burst of losses
};

/// When an IP packet of `size` bytes that is sent now arrives; empty: it does not, and `stats`
/// knows why. Changes the link's queue.
std::optional<Instant> pass(Link& link, const LinkOptions& options, Instant now, std::size_t size,
                            Rng& rng, Stats& stats);

/// A throw with this probability; draws nothing when it is zero.
inline bool chance(Rng& rng, double probability) {
  return probability > 0 && rng.unit() < probability;
}

}  // namespace p2pa::sim
