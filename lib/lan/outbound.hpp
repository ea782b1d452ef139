#pragma once
// Datagrams on their way out: to one address, or to everybody on every interface.

#include <deque>
#include <optional>
#include <vector>

#include "address/interface_address.hpp"
#include "p2pagents/bytes.hpp"
#include "transport/transport.hpp"

namespace p2pa::lan {

/// Datagrams that wait for the driver, or for sockets.
inline constexpr std::size_t kOutboundMax = 512;
/// Interfaces that a message is sent over.
inline constexpr std::size_t kTargetsMax = 16;

/// The groups (RFC 2365 §6.1: the local scope; RFC 4291 §2.7: a transient group of link-local scope).
IpAddress group(bool v6);

class Outbound final {
 public:
  Outbound(std::uint16_t port, bool broadcast) : port_(port), broadcast_(broadcast) {}

  /// What datagrams of this family leave by from now on.
  void set_socket(bool v6, SocketId socket) { (v6 ? socket6_ : socket4_) = socket; }
  void set_interfaces(const std::vector<InterfaceAddress>& interfaces);
  /// Was this sent to the link, by whoever did?
  bool to_link(const IpAddress& destination) const;
  /// Is this the address of somebody on the link?
  bool on_link(const IpAddress& source) const;

  bool empty() const { return waiting_.empty(); }
  bool full() const { return waiting_.size() >= kOutboundMax; }
  /// Nothing is sent when it is full: whoever needs to know asks before.
  void to_all(Bytes datagram);
  void to_one(const IpEndpoint& remote, Bytes datagram);
  bool poll(MutableBytes buffer, Transmit& out);
  void clear() { waiting_.clear(); }

 private:
  struct Target {
    IpEndpoint local, remote;
  };
  struct Waiting {
    Bytes datagram;
    std::optional<IpEndpoint> remote;  // none: all targets
    std::size_t next = 0;
  };
  /// Where the first that waits goes next; none: it is done.
  std::optional<Target> next_target();

  const std::uint16_t port_;
  const bool broadcast_;
  SocketId socket4_ = 0, socket6_ = 0;
  std::vector<InterfaceAddress> interfaces_;
  std::vector<Target> targets_;
  std::deque<Waiting> waiting_;
};

}  // namespace p2pa::lan
