#pragma once
// How good a connection is, and which of several is the one to use.

#include <cstdint>
#include <optional>
#include <span>

#include "crypto/rng.hpp"
#include "p2pagents/time.hpp"
#include "transport/connection.hpp"

namespace p2pa::swarm {

/// What samples of its statistics say of one connection: moving averages, the last seconds counting most.
class Quality {
 public:
  /// The weight of what is older sinks to 1/e in this time.
  static constexpr Duration kMemory = seconds(5);
  /// Samples closer together are one.
  static constexpr Duration kSampleMin = milliseconds(100);
  /// The round trip of a connection, or of a peer, of which nothing is known: so good that it is tried, and not
  /// better than what is known to be near.
  static constexpr Duration kUnknownRtt = milliseconds(100);

  void sample(Instant now, const ConnectionStats& stats);

  Duration rtt() const { return rtt_; }        ///< zero: not measured
  Duration jitter() const { return jitter_; }  ///< mean deviation of round trips
  double loss() const { return loss_; }        ///< share of the packets sent whose content was sent again, 0 to 1
  double throughput() const { return throughput_; }  ///< bytes per second, both directions together

  /// The time that a small exchange takes, expected: the round trip, its jitter, and what is lost sent once more.
  Duration cost() const;
  /// 1 is perfect, 1/2 is a cost of 100 ms, and it goes to 0.
  double score() const;

 private:
  std::optional<Instant> sampled_at_;
  ConnectionStats last_;
  Duration rtt_{}, jitter_{};
  double loss_ = 0, throughput_ = 0;
};

/// Something that can be chosen: what an exchange with it costs, and how many are under way.
struct Choice {
  Duration cost = Quality::kUnknownRtt;
  std::uint32_t load = 0;
  /// What one exchange more takes when those under way share what there is.
  double wait() const { return cost.seconds() * (1.0 + load); }
};

/// The better of two at random (M. Mitzenmacher, "The power of two choices in randomized load balancing",
/// 2001), so that many who choose among the same peers do not all take the same. REQUIRES some.
std::size_t choose_peer(Rng& rng, std::span<const Choice> choices);

}  // namespace p2pa::swarm
