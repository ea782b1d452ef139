#pragma once
// What was learned of addresses and of the network, and which addresses of a peer are tried for that.

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "p2pagents/dial_report.hpp"
#include "peerstore/peerstore.hpp"
#include "swarm/address_filter.hpp"
#include "swarm/backoff.hpp"
#include "swarm/black_hole.hpp"

namespace p2pa::swarm {

class AddressChooser final {
 public:
  struct Skip {
    Multiaddr address;
    DialStage stage;
    Error why;
  };
  struct Choice {
    std::vector<Multiaddr> wanted;     ///< best first; of those that somebody named the newest, then what worked last
    std::vector<Multiaddr> held_back;  ///< not tried now, but when somebody forces it
    std::vector<Skip> skipped;         ///< all that is not wanted
  };
  struct Wish {
    PeerId peer;                   ///< empty: whoever answers
    std::vector<Multiaddr> named;  ///< by who asked, the newest first: tried whatever was learned
    bool force = false;            ///< what would be held back is tried last
  };
  /// Why an address cannot be dialed at all, be it named or not; empty when it can.
  using Refuses = std::function<std::optional<Skip>(const Multiaddr&)>;

  AddressChooser(const peerstore::Peerstore& peers, DialPrivate dial_private)
      : store_(peers), filter_(dial_private) {}

  /// Empty: it depends on set_interfaces(), which is to come.
  std::optional<Choice> choose(Instant now, const Wish& wish, const Refuses& refuses);
  /// Of what a name stands for, as if the name were the address.
  Choice choose_of_name(Instant now, const Wish& wish, const Multiaddr& name, const std::vector<Multiaddr>& found,
                        const Refuses& refuses);

  void worked(const PeerId& peer, const Multiaddr& address);
  void failed(Instant now, const PeerId& peer, const Multiaddr& address, DialStage stage, const Error& why);
  /// Another one was faster, which says nothing of the address but something of its kind.
  void was_slower(const Multiaddr& address, DialStage stage);

  /// In another network than before nothing of what was learned holds.
  void set_interfaces(std::vector<InterfaceAddress> interfaces);
  void set_listens_on_loopback(bool listens) { filter_.set_listens_on_loopback(listens); }

  const BlackHoles& black_holes() const { return black_holes_; }

 private:
  /// Of what only others told us of, that which is not worth a try. Empty: the interfaces are not known.
  std::optional<std::vector<Multiaddr>> strange(const PeerId& peer, const std::vector<Multiaddr>& known) const;
  /// What the addresses have in common, or not.
  struct Origin {
    std::vector<Multiaddr> named;      ///< tried whatever was learned
    std::vector<Multiaddr> strangers;  ///< not tried unless named
    std::vector<Multiaddr> from_host;
  };
  Choice sift(Instant now, const Wish& wish, const std::vector<Multiaddr>& addresses, const Origin& origin,
              const Refuses& refuses);
  std::optional<Skip> hold_back(Instant now, const PeerId& peer, const Multiaddr& address, bool from_host,
                                const BlackHoles::Skipped& black) const;

  const peerstore::Peerstore& store_;
  AddressFilter filter_;
  Backoff backoff_;
  BlackHoles black_holes_;
};

}  // namespace p2pa::swarm
