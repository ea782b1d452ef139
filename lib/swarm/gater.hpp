#pragma once
// Whom a node deals with: rules that name peers, IP addresses and protocols, changeable while it runs.

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "address/ip_range.hpp"
#include "p2pagents/error.hpp"
#include "p2pagents/multiaddr.hpp"
#include "p2pagents/peer_id.hpp"

namespace p2pa::swarm {

/// What a rule names. The text is a protocol's id.
using GateRule = std::variant<PeerId, IpRange, std::string>;

/// A PeerId, an IP address or range of them ("10.0.0.0/8"), or a protocol id, which begins with "/".
/// kInvalidArgument: none of these.
Result<GateRule> parse_gate_rule(std::string_view text);

/// Two rules about rules: what a deny rule names does not pass, whatever else names it; and while only what
/// is allowed may pass, neither does what no allow rule names. A connection is allowed by its peer or, unless
/// it is relayed, by its address. Protocols can only be denied: what a node does not serve is not allowed.
///
/// Every question is answered with kGated when the answer is no. Rules are the owner's own: their number is
/// not bounded, and each question looks through all ranges.
class Gater {
 public:
  void deny(GateRule rule);
  /// kInvalidArgument: a protocol.
  Result<void> allow(GateRule rule);
  /// Both lists forget it. False: neither had it.
  bool forget(const GateRule& rule);
  /// From now on, only what is allowed passes, or everything that is not denied (as in the beginning).
  void set_allowed_only(bool allowed_only) { allowed_only_ = allowed_only; }

  /// Before anything is dialed; the address is not resolved yet, or not chosen.
  Result<void> peer(const PeerId& peer) const;
  /// Before an address is tried, and when a connection is authenticated. `peer` is empty for whoever answers.
  Result<void> connection(const PeerId& peer, const Multiaddr& remote) const;
  /// Somebody begins to shake hands: who, is not known.
  Result<void> accept(const IpAddress& from) const;
  Result<void> stream(std::string_view protocol) const;

 private:
  struct Rules {
    std::set<PeerId> peers;
    std::vector<IpRange> ranges;
    std::set<std::string, std::less<>> protocols;
    void add(GateRule rule);
    bool remove(const GateRule& rule);
    bool names(const IpAddress& ip) const;
  };

  Rules denied_, allowed_;
  bool allowed_only_ = false;
};

}  // namespace p2pa::swarm
