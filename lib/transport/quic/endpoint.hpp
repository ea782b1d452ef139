#pragma once
// All QUIC connections of a node: routes datagrams by connection id, accepts, dials, drains.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "crypto/rng.hpp"
#include "p2pagents/key_pair.hpp"
#include "p2pagents/node.hpp"
#include "resource/manager.hpp"
#include "transport/transport.hpp"

namespace p2pa::quic {

struct Config {
  CongestionControl congestion_control = CongestionControl::kCubic;
  Duration idle_timeout = seconds(30);
  Duration keep_alive = milliseconds(9500);  ///< sooner where the peer's idle time-out is short; zero: none
  Duration handshake_timeout = seconds(10);
  std::size_t datagram_queue_bytes_max = 256 * 1024;
  bool early_data = true;  ///< keep session tickets and offer 0-RTT
  ConnectionId first_id = 1, id_step = 1;  ///< its connections' numbers, unique in a node of many transports
  /// Wall clock in seconds since 1970, for certificates' validity: an input like every other.
  std::int64_t unix_time = 0;
  /// Called with (connection id, qlog bytes) when set; the node turns it into file effects.
  std::move_only_function<void(ConnectionId, ByteView)> qlog;
};

/// The QUIC transport: a machine. Datagrams, deadlines and calls go in; events and datagrams come
/// out. No socket, no clock, no thread. REQUIRES that key, rng and resources outlive it.
class Endpoint final {
 public:
  /// First packets that came to nothing in one second, each at the cost of a TLS session: from then on
  /// whoever comes is asked for Retry.
  static constexpr std::uint32_t kUselessFirstsMax = 64;

  Endpoint(const KeyPair& key, Rng& rng, resource::Manager& resources, Config config);
  ~Endpoint();

  /// A socket that the driver has bound. Inbound handshakes are taken on it when `accept`.
  void add_socket(SocketId socket, const IpEndpoint& local, bool accept);
  /// Connections on it are lost, also those that are still shaking hands.
  void remove_socket(Instant now, SocketId socket);

  /// Starts a connection. REQUIRES target.address is a quic-v1 address of the socket's family.
  Result<Connection*> dial(Instant now, SocketId socket, const DialTarget& target);

  void handle(Instant now, const InboundDatagram& datagram);
  Instant next_deadline() const;
  void on_deadline(Instant now);
  /// The next event, oldest first; a Connection is destroyed at the first call after its kClosed.
  bool poll_event(TransportEvent& out);
  /// Sending may cause some, too.
  bool has_events() const;
  /// Fills `buffer` (>= 65,536 bytes) with the next datagrams to send. False: nothing now.
  bool poll_transmit(Instant now, MutableBytes buffer, const TransmitLimits& limits, Transmit& out);

  Connection* find(ConnectionId id);
  std::size_t connections_count() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace p2pa::quic
