#pragma once
// One QUIC connection: the engine (ngtcp2), the handshake, the streams, and what it tells of them.

#include <cstdint>
#include <memory>
#include <vector>

#include "resource/manager.hpp"
#include "transport/mux/muxed_connection.hpp"
#include "transport/mux/ready_list.hpp"
#include "transport/quic/cid_table.hpp"
#include "transport/quic/datagram_queue.hpp"
#include "transport/quic/farewell.hpp"
#include "transport/quic/packet_size.hpp"
#include "transport/quic/stream_engine.hpp"
#include "transport/transport.hpp"

struct ngtcp2_conn;
struct ngtcp2_path;
struct ngtcp2_pkt_hd;

namespace p2pa::quic {

struct EngineCallbacks;
struct Shared;
class Handshake;

/// kHandshaking -> kEstablished -> kClosed, or kHandshaking -> kClosed.
enum class ConnectionState : std::uint8_t { kHandshaking, kEstablished, kClosed };

/// A client raises kEstablished when its handshake is complete: the server is authenticated then, and
/// only so a request needs two round trips and not three. The server has not seen our certificate at
/// that moment; should it refuse us, kClosed with kRefused follows. A server raises it when the client's
/// certificate was verified. Of a resumed session a server may see streams before kEstablished, while
/// early_data_possible(): they came as 0-RTT and may be replays, so only replay-safe protocols may be
/// served on them; peer() is known by then.
class Connection final : public mux::MuxedConnection {
 public:
  /// Errors: kOutOfMemory.
  static Result<std::unique_ptr<Connection>> dial(Shared& shared, ConnectionId id, SocketId socket,
                                                  const IpEndpoint& local, const IpEndpoint& remote,
                                                  const DialTarget& target);
  /// Answers a first packet. `retried`: the connection id of the first attempt, from a valid token.
  static Result<std::unique_ptr<Connection>> accept(Shared& shared, ConnectionId id,
                                                    const InboundDatagram& datagram,
                                                    const ngtcp2_pkt_hd& first, const Cid* retried,
                                                    resource::Reservation handshake);
  ~Connection() override;

  // p2pa::Connection
  bool established() const override { return state_ == ConnectionState::kEstablished; }
  DialStage stage() const override;
  bool early_data_possible() const override { return state_ == ConnectionState::kHandshaking && early_; }
  Result<StreamId> open_stream(bool replay_safe) override;
  Result<void> send_datagram(ByteView payload) override;
  std::size_t datagram_size_max() const override;
  void close(std::uint64_t code, std::string_view reason) override;
  ConnectionStats stats(Instant now) const override;
  Instant heard_at() const override { return heard_at_; }
  void probe() override;

  // For the endpoint.
  ConnectionState state() const { return state_; }
  void receive(const InboundDatagram& datagram, ByteView packet);
  void on_deadline();
  Instant next_deadline() const;  ///< kNever when closed
  /// Writes datagrams of one size to one destination. False: nothing to send now.
  bool transmit(MutableBytes buffer, const TransmitLimits& limits, Transmit& out);
  void lose_socket(SocketId socket);

 private:
  friend struct EngineCallbacks;
  friend class mux::ReadyList<Connection>;

  Connection(Shared& shared, ConnectionId id, bool outbound, SocketId socket, const IpEndpoint& local,
             const IpEndpoint& remote);

  // connection_start.cpp
  bool start_client(const IpEndpoint& remote, const DialTarget& target);
  bool start_server(const IpEndpoint& remote, const ngtcp2_pkt_hd& first, const Cid* retried,
                    resource::Reservation reservation);
  Cid fresh_cid();  ///< routed nowhere yet
  std::size_t packet_bytes_max() const;  ///< what every packet may have at this time

  // What the engine reports, through EngineCallbacks; false refuses and closes.
  void describe(ConnectionEvent& event) override;
  bool on_handshake_completed();
  bool on_stream_opened(std::int64_t wire_id);
  void on_datagram(ByteView payload);
  void on_path_validated(const ngtcp2_path& path);
  void keep_alive();
  void force_ping();
  void free_stuck_datagrams();

  // connection_transmit.cpp
  struct Packet;
  bool fill(MutableBytes buffer, const TransmitLimits& limits, Transmit& out);
  std::int64_t write_packet(MutableBytes dest, Packet& packet);
  bool room_for_datagrams();
  std::int64_t write_datagram_frame(MutableBytes dest, Packet& packet);
  std::int64_t write_stream_frame(MutableBytes dest, Packet& packet, mux::StreamState& stream);
  void pace(std::size_t bytes);
  Transmit destination(const ngtcp2_path& path, std::uint32_t ecn) const;

  // connection_end.cpp
  struct CloseFrame {
    enum class Kind : std::uint8_t { kApplication, kEngine, kTlsAlert };
    Kind kind;
    std::uint64_t code;  ///< of the application; or minus the engine's error; or the alert
    ByteView reason{};
  };
  void end_by_engine(int rv);
  void end_by_peer();
  void close_with(const CloseFrame& frame, const Error& why);
  void finish_close(const Error& why, Farewell farewell = {});
  void release_handshake_when_done();

  Shared& shared_;
  ConnectionState state_ = ConnectionState::kHandshaking;
  bool early_ = false;  // 0-RTT is offered (client) or was taken (server)
  bool stateless_reset_ = false;
  bool datagram_lent_ = false;  // the first of datagrams_in_ is in the application's hands
  mux::ReadyLink<Connection> ready_;
  ngtcp2_conn* engine_ = nullptr;
  std::unique_ptr<Handshake> handshake_;
  SocketId socket_;
  IpEndpoint local_;  // at the begin; from then on the engine's path has it
  Cid client_dcid_;  // of a server: what the client addressed before it knew an id of ours
  PacketSize packet_size_;
  StreamEngine stream_engine_;
  DatagramQueue datagrams_out_, datagrams_in_;
  Instant established_at_{}, heard_at_{};
  Instant datagrams_stuck_at_ = kNever;  // when to help them on
  Instant burst_began_{};
  std::size_t burst_bytes_ = 0;
  std::uint64_t packets_sent_ = 0, packets_received_ = 0, packets_repeated_ = 0;
  std::uint64_t bytes_sent_ = 0, bytes_received_ = 0;
  bool probe_due_ = false;
};

}  // namespace p2pa::quic
