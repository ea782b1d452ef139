#pragma once
// All UDP sessions of a node: answers who proves its address, dials, and routes datagrams by id.

#include <cstdint>
#include <memory>

#include "crypto/rng.hpp"
#include "p2pagents/key_pair.hpp"
#include "p2pagents/node.hpp"
#include "resource/manager.hpp"
#include "transport/transport.hpp"

namespace p2pa::udp {

struct Config {
  CongestionControl congestion_control = CongestionControl::kCubic;
  Duration idle_timeout = seconds(30);  ///< or the peer's, where that is shorter
  Duration keep_alive = milliseconds(9500);  ///< zero: none
  Duration handshake_timeout = seconds(10);
  std::size_t datagram_queue_bytes_max = 256 * 1024;
  std::size_t message_queue_bytes_max = std::size_t{2} << 20;  ///< of messages that wait or are not acknowledged
  bool aes = false;  ///< this machine has hardware for AES-256-GCM
  ConnectionId first_id = 1, id_step = 1;  ///< its connections' numbers, unique in a node of many transports
};

/// The transport of docs/wire/udp.md: a machine, as quic::Endpoint is. Datagrams, deadlines and calls go
/// in; events and datagrams come out. REQUIRES that key, rng and resources outlive it.
class Endpoint final {
 public:
  /// Sessions that closed and still say so.
  static constexpr std::size_t kFarewellsMax = 1024;
  /// Cookies that wait to be sent; one more takes the place of any.
  static constexpr std::size_t kAnswersMax = 256;

  Endpoint(const KeyPair& key, Rng& rng, resource::Manager& resources, Config config);
  ~Endpoint();

  /// A socket that the driver has bound. Inbound handshakes are taken on it when `accept`.
  void add_socket(SocketId socket, const IpEndpoint& local, bool accept);
  /// Connections on it are lost, also those that are still shaking hands.
  void remove_socket(Instant now, SocketId socket);

  bool has_socket(SocketId socket) const;

  /// Starts a connection. kInvalidArgument: no such socket, or no p2pa-udp address of the socket's family.
  Result<Connection*> dial(Instant now, SocketId socket, const DialTarget& target);

  void handle(Instant now, const InboundDatagram& datagram);
  Instant next_deadline() const;
  void on_deadline(Instant now);
  /// The next event, oldest first; a Connection is destroyed at the first call after its kClosed.
  bool poll_event(TransportEvent& out);
  bool has_events() const;
  /// Fills `buffer` (>= 65,536 bytes) with the next datagrams to send. False: nothing now.
  bool poll_transmit(Instant now, MutableBytes buffer, const TransmitLimits& limits, Transmit& out);

  std::size_t connections_count() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace p2pa::udp
