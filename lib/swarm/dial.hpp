#pragma once
// One attempt to reach one peer by several addresses. A pure machine: it says which address to try
// and when; somebody else tries it and reports.

#include <cstdint>
#include <vector>

#include "p2pagents/error.hpp"
#include "p2pagents/multiaddr.hpp"
#include "p2pagents/time.hpp"
#include "swarm/dial_ranker.hpp"

namespace p2pa::swarm {

inline constexpr std::size_t kDialAddressesMax = 25;  // what js dials too
inline constexpr std::size_t kDialsParallelMax = 8;  // as go's

class Dial {
 public:
  /// Addresses best first, each the stagger before the next; what is over kDialAddressesMax is left out.
  Dial(std::vector<Multiaddr> addresses, Instant now);

  /// One more address, due now and before all that were not tried yet; one that was tried is not tried again.
  void add(const Multiaddr& address, Instant now);

  /// One more address after all others, if there is room and it is a new one.
  void append(const Multiaddr& address);
  /// An address of the peer that is not tried, and why: for error().
  void skipped(const Error& why) { skipped_.push_back(why); }

  /// The addresses that a name stands for will follow, or that it stands for none: until then the dial is not
  /// exhausted.
  void expect_name() { ++names_; }
  /// Ranked among those that were not tried yet. REQUIRES a name is expected.
  void name_resolved(const std::vector<Multiaddr>& addresses, Instant now);
  void name_failed(const Error& why);

  /// The address to try now, or null: nothing is due. Stays the same until started() or failed_to_start().
  const Multiaddr* candidate(Instant now) const;
  /// candidate() is being tried.
  void started(Instant now);
  /// candidate() cannot be tried at all.
  void failed_to_start(Instant now, const Error& why);
  /// One that was started has failed; the next one is due at once.
  void attempt_failed(Instant now, const Error& why);

  /// One that was started is given up and due now, before all that were not tried yet. REQUIRES that it is in flight.
  void start_again(const Multiaddr& address, Instant now);

  Instant next_deadline() const;
  /// Nothing is in flight and nothing is left to try.
  bool exhausted() const { return in_flight_ == 0 && all_tried(); }
  /// One is in flight, and nothing else is left to try.
  bool down_to_one() const { return in_flight_ == 1 && all_tried(); }
  /// REQUIRES exhausted(). The reason, when all addresses failed alike; kUnreachable and how many
  /// were tried, when they differ or none answered. When none was tried, the same of those that were skipped.
  Error error() const;

 private:
  bool all_tried() const { return next_ == addresses_.size() && names_ == 0; }

  std::vector<Multiaddr> addresses_;
  std::size_t next_ = 0;
  std::size_t in_flight_ = 0;
  std::size_t names_ = 0;  ///< that are being resolved
  Duration stagger_;
  Instant due_;
  std::vector<Error> failures_, skipped_;
};

}  // namespace p2pa::swarm
