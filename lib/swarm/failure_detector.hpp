#pragma once
// Has a peer vanished without a word? N. Hayashibara et al., "The φ accrual failure detector" (SRDS 2004): the
// longer a silence lasts compared with those that were ended by a sign of life, the surer it is.
//
// Signs of life come by themselves while there is traffic. A silence of one heartbeat makes the detector ask:
// for a probe, and for more of them until something is heard. So the other end needs no detector, and what
// costs anything is a quiet connection only: one QUIC PING and its acknowledgement a heartbeat, with 700 ms
// about 100 bytes a second each way with UDP and IP; the end that asks first spares the other one its turn.

#include <array>
#include <cstdint>

#include "p2pagents/time.hpp"

namespace p2pa::swarm {

/// The silence after which a connection asks, where it is to be noticed soon that the peer has gone.
inline constexpr Duration kHeartbeat = milliseconds(700);

class FailureDetector {
 public:
  /// φ at which the peer counts as gone: the chance that it is not is 10^-8.
  static constexpr double kPhiDead = 8;
  /// Silences that are remembered.
  static constexpr std::size_t kWindow = 32;
  /// When a probe is not answered in a round trip, there are this many in a heartbeat: some may be lost.
  static constexpr std::int64_t kProbesPerHeartbeat = 7;

  enum class Verdict : std::uint8_t {
    kAlive,
    kProbe,  ///< ask the peer for a sign of life
    kDead,   ///< it has gone
  };

  /// A peer that was heard now. With kHeartbeat and a short round trip, one that says nothing more is dead in
  /// 2.8 s; one whose round trip grows to 2 s all at once is heard before that, and is not.
  FailureDetector(Instant now, Duration heartbeat) : heartbeat_(heartbeat), heard_at_(now), due_(now + heartbeat) {}

  /// The next time to look.
  Instant next_deadline() const { return due_; }
  /// `heard_at`: the latest sign of life. `rtt`: what the connection measured, zero when it has not. Who looks
  /// much later than it should (its process was stopped, or its host asleep) asks before it judges.
  Verdict look(Instant now, Instant heard_at, Duration rtt);
  /// Asks at the next look, which is due now: there is a reason for doubt.
  void doubt(Instant now) { due_ = now; asks_ = true; }

  /// It asked, and the first answer is overdue.
  bool doubtful() const { return probes_ > 1; }
  /// How sure it is that the peer has gone, were nothing heard until `now`.
  double phi(Instant now, Duration rtt) const;

 private:
  struct Silences {
    double mean, deviation;  // seconds
  };
  Silences expected(Duration rtt) const;
  void remember(Duration silence);

  Duration heartbeat_;
  Instant heard_at_, due_;
  int probes_ = 0;  // in this silence
  bool asks_ = false;
  std::array<double, kWindow> silences_{};  // seconds, a ring
  std::size_t count_ = 0;
};

}  // namespace p2pa::swarm
