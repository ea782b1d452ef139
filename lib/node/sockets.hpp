#pragma once
// The sockets of a node that outlive connections: those it listens on, UDP and TCP, and the UDP ones it
// dials from, of which QUIC and our sessions have their own. Asks the driver by effects.

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "node/driver.hpp"
#include "p2pagents/node.hpp"
#include "transport/quic/endpoint.hpp"
#include "transport/tcp/endpoint.hpp"
#include "transport/udp/endpoint.hpp"

namespace p2pa {

inline constexpr std::size_t kListenAddressesMax = 32;

class Sockets {
 public:
  /// REQUIRES that all outlive it.
  Sockets(quic::Endpoint& quic, udp::Endpoint& udp, tcp::Endpoint& tcp, SocketNumbers& numbers,
          const NodeOptions& options)
      : quic_(quic), udp_(udp), tcp_(tcp), numbers_(numbers), options_(options) {}

  /// Starts to listen. kUnsupported: none of QUIC, UDP sessions, TCP and WebSocket, something over UDP in a
  /// private network, or secure WebSocket without a certificate.
  /// kLimitConnections: kListenAddressesMax.
  Result<void> listen(const Multiaddr& address);

  /// What runs over a socket.
  enum class Runs : std::uint8_t { kQuic, kUdp, kTcp };

  /// The UDP socket to dial from: one that listens where that can reach the address, since the port that
  /// others know is the best one to be seen with; not one whose address this host does not have now. kWouldBlock:
  /// one is being bound. REQUIRES kQuic or kUdp.
  Result<SocketId> socket_for(Runs runs, const IpEndpoint& remote);

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
  /// Where we listen, unspecified addresses expanded to the interfaces', and such left out as this host does not
  /// have now; without /p2p.
  std::vector<Multiaddr> addresses() const;
  /// For good: what is still being bound is closed as soon as it is.
  void close(Instant now);

 private:
  enum class State : std::uint8_t { kBinding, kBound, kFailed };
  struct Socket {
    SocketId id;
    Runs runs;
    std::optional<tcp::Road> road;  // of TCP
    State state;
    bool listens;
    IpEndpoint local;
    Error error{};

    Multiaddr address(const IpEndpoint& at) const;
  };
  /// Is it bound to an address that this host has, as far as we know? A socket stays bound while its address is
  /// away, and is reached again when that is back: it only is of no use meanwhile.
  bool present(const IpAddress& local) const;
  void bind(Runs runs, std::optional<tcp::Road> road, const IpEndpoint& local, bool listens);
  void on_bound(const Socket& socket);
  void remove(Instant now, const Socket& socket);
  void ask_to_close(const Socket& socket);

  quic::Endpoint& quic_;
  udp::Endpoint& udp_;
  tcp::Endpoint& tcp_;
  std::vector<Socket> sockets_;
  std::vector<InterfaceAddress> interfaces_;
  bool interfaces_known_ = false;
  bool listing_ = false;  // until the answer
  std::deque<Effect> effects_;
  SocketNumbers& numbers_;
  const NodeOptions& options_;
  bool closed_ = false;
};

}  // namespace p2pa
