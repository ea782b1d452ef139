#pragma once
// What a node needs of one transport: a machine fed with input, drained of output.

#include <optional>
#include <vector>

#include "address/ip_endpoint.hpp"
#include "transport/connection.hpp"

namespace p2pa {

using SocketId = std::uint32_t;  ///< a socket of the driver, numbered by the node; 0 is none
/// A TCP socket that the driver accepted is numbered by the driver, from here on.
inline constexpr SocketId kAcceptedSockets = 0x8000'0000;

enum class Ecn : std::uint8_t { kNone = 0, kEct1 = 1, kEct0 = 2, kCe = 3 };

/// One or several datagrams of one sender as the system delivered them: with GRO, `bytes` holds
/// equal segments of `segment_size` and a shorter last one; without, segment_size == bytes.size().
struct InboundDatagram {
  SocketId socket = 0;
  IpEndpoint local, remote;
  Ecn ecn = Ecn::kNone;
  std::size_t segment_size = 0;
  ByteView bytes;
};

/// Datagrams to send on one socket to one address, laid out the same way (GSO). The bytes live in
/// the buffer that the driver lent to poll_transmit().
struct Transmit {
  SocketId socket = 0;
  IpEndpoint local, remote;  ///< local.ip unspecified: the system chooses
  Ecn ecn = Ecn::kNone;
  std::size_t segment_size = 0;
  std::size_t size = 0;
};

/// What the driver can do for a transmit, decided at run time.
struct TransmitLimits {
  std::size_t segments_max = 1;  ///< GSO segments in one Transmit; 1 without GSO
};

/// What happened to a TCP socket.
struct SocketEvent {
  enum class Kind : std::uint8_t {
    kAccepted,   ///< `socket` is new and came in on `listener`, from `remote` to `local`
    kConnected,  ///< what Effect::Kind::kConnectTcp asked for; `local` is what the system chose
    kBytes,      ///< `bytes` arrived, valid during the call
    kEnd,        ///< the peer sends no more
    kWritten,    ///< the last SocketWrite is with the system
    kLost,       ///< `error`: it could not connect, or was reset. The driver has forgotten it
  };
  Kind kind;
  SocketId socket = 0;
  SocketId listener = 0;
  IpEndpoint local{}, remote{};
  ByteView bytes{};
  Error error{};
};

/// Bytes for one TCP socket, in the buffer that the driver lent to poll_write(). A socket has one under
/// way at most: the next follows kWritten.
struct SocketWrite {
  SocketId socket = 0;
  std::size_t size = 0;
};

/// What a transport wants done with a TCP socket.
struct SocketRequest {
  enum class Kind : std::uint8_t { kConnect, kFinish, kAbort };  ///< see Effect::Kind
  Kind kind;
  SocketId socket = 0;
  IpEndpoint remote{};
};

/// Numbers the sockets of a node.
class SocketNumbers {
 public:
  SocketId next() { return ++last_; }

 private:
  SocketId last_ = 0;
};

struct TransportEvent {
  Connection* connection = nullptr;
  ConnectionEvent event;
};

struct DialTarget {
  Multiaddr address;       ///< of a kind that supports() accepts, resolved
  PeerId peer;             ///< whom we expect; empty: whoever answers (then no 0-RTT)
  bool early_data = true;  ///< use a stored session when there is one
};

/// The port of a transport to the swarm.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual bool dials(const Multiaddr& address) const = 0;
  /// Starts a connection. kWouldBlock: a socket is being made; try again when sockets have changed.
  /// REQUIRES dials(target.address).
  virtual Result<Connection*> dial(Instant now, const DialTarget& target) = 0;
  /// The next event, oldest first; a Connection is destroyed at the first call after its kClosed.
  virtual bool poll_event(TransportEvent& out) = 0;
  virtual bool has_events() const = 0;
};

}  // namespace p2pa
