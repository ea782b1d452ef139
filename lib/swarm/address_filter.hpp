#pragma once
// Which of the addresses that others told us of are worth a packet: a stranger's claim that somebody lives
// at 192.168.0.1 makes no node knock at the doors of its own network, or of its hoster's.

#include <optional>
#include <vector>

#include "address/interface_address.hpp"
#include "p2pagents/multiaddr.hpp"
#include "p2pagents/node.hpp"

namespace p2pa::swarm {

/// Not for addresses that the host gave: those are always dialed.
class AddressFilter final {
 public:
  enum class Verdict : std::uint8_t {
    kDial,
    kSkip,
    kAskAgain,  ///< once set_interfaces() was called
  };

  explicit AddressFilter(DialPrivate policy) : policy_(policy) {}

  /// What the interfaces are now. True: they are others than before, so we have moved.
  bool set_interfaces(std::vector<InterfaceAddress> interfaces);
  /// We listen at a loopback address, and not just at all addresses.
  void set_listens_on_loopback(bool listens) { listens_on_loopback_ = listens; }

  /// `worked_last`: where the peer was reached before, by which we know whether it is on this host.
  Verdict check(const Multiaddr& address, const std::optional<Multiaddr>& worked_last) const;

 private:
  bool on_this_host(const IpAddress& ip) const;

  DialPrivate policy_;
  std::optional<std::vector<InterfaceAddress>> interfaces_;
  bool listens_on_loopback_ = false;
};

}  // namespace p2pa::swarm
