#pragma once
// Whom this node did not let in, told so that a flood of them tells little: a pure machine.

#include <cstdint>
#include <map>
#include <optional>

#include "p2pagents/error.hpp"
#include "p2pagents/multiaddr.hpp"
#include "p2pagents/peer_id.hpp"
#include "p2pagents/time.hpp"

namespace p2pa {

/// The first refusal for a reason, which is a Code, is told at once; those that follow within this time are counted,
/// and told as one when it is over. However many knock, a second brings as many as there are codes at most.
inline constexpr Duration kRefusalPause = seconds(1);

class Refusals final {
 public:
  struct Told {
    PeerId peer;        ///< empty: it did not come so far as to prove one
    Multiaddr address;  ///< of the newest, as are peer and why; empty: of no proven address
    Error why;
    std::uint64_t count = 0;
  };

  void add(Instant now, const PeerId& peer, const Multiaddr& address, const Error& why, std::uint64_t count = 1);
  /// What is to be told now; none: nothing is.
  std::optional<Told> pop(Instant now);
  /// When there is something for pop(); in the past: now.
  Instant next_deadline() const { return next_; }

 private:
  struct Reason {
    Told untold;
    Instant next{};  // it may be told then
  };
  void look();

  std::map<Code, Reason> reasons_;
  Instant next_ = kNever;
};

}  // namespace p2pa
