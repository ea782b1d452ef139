#pragma once
// Which addresses did not work lately, and until when they are left alone.

#include <cstdint>
#include <map>
#include <utility>

#include "p2pagents/error.hpp"
#include "p2pagents/multiaddr.hpp"
#include "p2pagents/peer_id.hpp"
#include "p2pagents/time.hpp"

namespace p2pa::swarm {

/// After the n-th failure in a row: kBackoffBase, and from the second one kBackoffStep * (n-1)^2 more, at
/// most kBackoffMax (go-libp2p's rule).
inline constexpr Duration kBackoffBase = seconds(5), kBackoffStep = seconds(1), kBackoffMax = minutes(5);
/// An address that the host itself gave: who gives it expects a try, and may have started the peer only now. What
/// remains is a bound on how often somebody is asked who does not answer.
inline constexpr Duration kHostBackoff = milliseconds(250);
inline constexpr std::size_t kBackoffsMax = 4096;

/// One entry for a peer at an address. It is forgotten once it has been over for as long as it held, and
/// when there are too many: those that are over next, first.
class Backoff final {
 public:
  void failed(Instant now, const PeerId& peer, const Multiaddr& address, const Error& why);
  void worked(const PeerId& peer, const Multiaddr& address);
  /// We are in another network, where other addresses work.
  void clear() { entries_.clear(); }

  /// Why the address is left alone now; null when it is not. `from_host`: see kHostBackoff. Valid until the next
  /// call that changes anything.
  const Error* holds(Instant now, const PeerId& peer, const Multiaddr& address, bool from_host = false) const;
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Instant until;
    Duration length;
    std::uint32_t failures = 0;
    Error why;
    Instant failed_at() const { return until - length; }
    Instant forgotten_at() const { return until + length; }
  };
  void make_room(Instant now);

  std::map<std::pair<PeerId, Multiaddr>, Entry> entries_;
};

}  // namespace p2pa::swarm
