#pragma once
// The sockets of a node that outlive connections: those it listens on, UDP and TCP, and the UDP ones it
// dials from. Asks the driver by effects.

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "node/driver.hpp"
#include "p2pagents/node.hpp"
#include "transport/quic/endpoint.hpp"
#include "transport/tcp/endpoint.hpp"

namespace p2pa {

inline constexpr std::size_t kListenAddressesMax = 32;

class Sockets {
 public:
  /// REQUIRES that all outlive it.
  Sockets(quic::Endpoint& quic, tcp::Endpoint& tcp, SocketNumbers& numbers, const NodeOptions& options)
      : quic_(quic), tcp_(tcp), numbers_(numbers), options_(options) {}

  /// Starts to listen. kUnsupported: none of QUIC, TCP and WebSocket, QUIC in a private network, or secure
  /// WebSocket without a certificate.
  /// kLimitConnections: kListenAddressesMax.
  Result<void> listen(const Multiaddr& address);

  /// The UDP socket to dial from: one that listens where that can reach the address, since the port that
  /// others know is the best one to be seen with. kWouldBlock: one is being bound.
  Result<SocketId> socket_for(const IpEndpoint& remote);

  bool listens_on_loopback() const;

  /// What came of an effect of ours.
  struct Outcome {
    bool sockets_changed = false;
    bool interfaces_known = false;    ///< interfaces() are as they are now, or cannot be listed
    bool interfaces_changed = false;  ///< this host has other addresses than before
    bool listening = false;   ///< `address` is being listened on now
    bool failed = false;      ///< `address` could not be listened on: `error`
    Multiaddr address;
    Error error{};
  };
  Outcome done(const EffectDone& effect);

  /// Asks what addresses this host has now.
  void list_interfaces();
  /// As of the last answer.
  const std::vector<InterfaceAddress>& interfaces() const { return interfaces_; }

  bool poll_effect(Effect& out);
  bool has_effects() const { return !effects_.empty(); }
  /// Where we listen, unspecified addresses expanded to the interfaces'; without /p2p.
  std::vector<Multiaddr> addresses() const;
  /// For good: what is still being bound is closed as soon as it is.
  void close(Instant now);

 private:
  enum class State : std::uint8_t { kBinding, kBound, kFailed };
  struct Socket {
    SocketId id;
    std::optional<tcp::Road> road;  // of TCP; none: UDP
    State state;
    bool listens;
    IpEndpoint local;
    Error error{};

    Multiaddr address(const IpEndpoint& at) const { return road ? tcp::address_of(*road, at) : quic_multiaddr(at); }
  };
  void bind(std::optional<tcp::Road> road, const IpEndpoint& local, bool listens);
  void ask_to_close(const Socket& socket);

  quic::Endpoint& quic_;
  tcp::Endpoint& tcp_;
  std::vector<Socket> sockets_;
  std::vector<InterfaceAddress> interfaces_;
  bool listing_ = false;  // until the answer
  std::deque<Effect> effects_;
  SocketNumbers& numbers_;
  const NodeOptions& options_;
  bool closed_ = false;
};

}  // namespace p2pa
