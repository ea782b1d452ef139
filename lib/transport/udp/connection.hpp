#pragma once
// One UDP session: from the first datagram over keys and paths to streams and messages.
// fuzzed: udp_endpoint

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "resource/manager.hpp"
#include "transport/mux/datagram_queue.hpp"
#include "transport/mux/memory_budget.hpp"
#include "transport/mux/muxed_connection.hpp"
#include "transport/mux/ready_list.hpp"
#include "transport/transport.hpp"
#include "transport/udp/ack_tracker.hpp"
#include "transport/udp/congestion_controller.hpp"
#include "transport/udp/fec_receiver.hpp"
#include "transport/udp/fec_sender.hpp"
#include "transport/udp/handshake.hpp"
#include "transport/udp/message_receiver.hpp"
#include "transport/udp/message_sender.hpp"
#include "transport/udp/mtu_probe.hpp"
#include "transport/udp/pacer.hpp"
#include "transport/udp/replay_window.hpp"
#include "transport/udp/session_keys.hpp"
#include "transport/udp/stream_engine.hpp"

namespace p2pa::udp {

struct Farewell;
struct Shared;

/// Where datagrams go; `local` is unspecified for a dialer, whose system chooses.
struct Path {
  SocketId socket = 0;
  IpEndpoint local, remote;
};

/// kHandshaking -> kEstablished -> kClosed, or kHandshaking -> kClosed.
enum class ConnectionState : std::uint8_t { kHandshaking, kEstablished, kClosed };

/// A dialer is established when RESPONSE proved who answers; should the other end never take our FINISH,
/// kClosed with kTimeout follows.
class Connection final : public mux::MuxedConnection, private StreamEngine::Owner {
 public:
  /// DATA packets that came before FINISH, and are kept until it does.
  static constexpr std::size_t kEarlyPacketsMax = 8;
  /// Messages 1 that are answered, each by two Diffie-Hellmans: only the dialer's is due, but whoever saw its
  /// cookie may have been faster.
  static constexpr int kFirstsMax = 4;
  /// Messages 3 of the handshake that were not authentic, before the session is given up.
  static constexpr int kFinishesRefusedMax = 4;
  /// Packets in a row that messages and datagrams may fill while streams wait.
  static constexpr int kPacketsBeforeStreamsMax = 4;
  /// COOKIEs that a dialer follows.
  static constexpr int kCookiesMax = 4;
  /// Of one send_datagram(): fits every packet.
  static constexpr std::size_t kDatagramSizeMax = 1150;

  static std::unique_ptr<Connection> dial(Shared& shared, ConnectionId id, const Path& path, const DialTarget& target);
  /// Answers an INITIAL with a good cookie. Null: its message is of no use.
  static std::unique_ptr<Connection> accept(Shared& shared, ConnectionId id, const Path& path,
                                            const InitialPacket& initial, resource::Reservation handshake);
  ~Connection() override;

  // p2pa::Connection
  bool established() const override { return state_ == ConnectionState::kEstablished; }
  DialStage stage() const override;
  bool early_data_possible() const override { return false; }
  Result<StreamId> open_stream(bool replay_safe) override;
  std::size_t undelivered() const override { return streams_.undelivered() + messages_out_.undelivered(); }
  Result<void> send_datagram(ByteView payload) override;
  std::size_t datagram_size_max() const override { return established() ? kDatagramSizeMax : 0; }
  Result<void> send_message(ByteView bytes, const SessionMessageOptions& options) override;
  std::size_t message_size_max() const override { return established() ? kSessionMessageBytesMax : 0; }
  void close(std::uint64_t code, std::string_view reason) override;
  ConnectionStats stats(Instant now) const override;
  Instant heard_at() const override { return heard_at_; }
  void probe() override;
  void tidy() override;

  // For the endpoint.
  ConnectionState state() const { return state_; }
  void on_cookie(const CookiePacket& packet);
  void on_initial_again(const InitialPacket& initial);
  void on_response(const ResponsePacket& packet);
  void on_finish(const FinishPacket& packet);
  void on_data(const InboundDatagram& datagram, ByteView packet);
  void on_deadline();
  Instant next_deadline() const;  ///< kNever when closed
  /// Writes datagrams of one size to one destination. False: nothing to send now.
  bool transmit(MutableBytes buffer, const TransmitLimits& limits, Transmit& out);
  void lose_socket(SocketId socket);

 private:
  friend class mux::ReadyList<Connection>;

  /// What a packet that is being read turned out to be.
  struct Reading {
    bool eliciting = false;
    bool taken = true;  ///< false: something in it cannot be kept, and it is to come again
    std::optional<Challenge> challenge;
  };
  class FrameReader;

  Connection(Shared& shared, ConnectionId id, bool outbound, const Path& path);

  // connection_start.cpp
  void begin_handshake(Cid dialer_cid, const PeerId& expected);
  void say(Bytes datagram);
  void drop(DropCounters::Which reason);
  void establish();
  void confirm();
  bool transmit_handshake(MutableBytes buffer, Transmit& out);

  // connection_receive.cpp
  Result<Reading> read_frames(ByteView frames);
  Result<void> on_ack(const AckFrame& ack);
  void on_lost(const std::vector<SentPacket>& packets);
  void on_datagram(ByteView payload);
  Result<bool> on_message(const MessageFrame& frame);
  Result<bool> on_fec(const FecFrame& frame);
  Result<bool> on_body(const FecReceiver::Body& body);
  bool too_late(const FecReceiver::Body& body, const CorrectedMessage& message) const;
  Result<bool> take_message(const MessageFrame& frame);
  Result<void> on_skip(const SkipFrame& frame);
  void tell_messages(std::size_t before);
  void on_frame_lost(const SentFrame& frame);
  void on_response_to_challenge(const Challenge& data);
  void on_other_path(const InboundDatagram& datagram);

  // connection_transmit.cpp
  bool transmit_path_frame(MutableBytes buffer, Transmit& out);
  bool transmit_mtu_probe(MutableBytes buffer, Transmit& out);
  std::size_t write_packet(MutableBytes room);
  bool may_send(std::size_t bytes);
  void fill(PacketBuilder& packet);
  void fill_messages(PacketBuilder& packet, int priority);
  void fill_repairs(PacketBuilder& packet);
  std::size_t seal(PacketBuilder& packet, MutableBytes room, bool mtu_probe);
  void renew_key();
  Transmit destination(const Path& path, std::size_t size) const;

  // connection.cpp
  void describe(ConnectionEvent& event) override;
  void on_engine_wakes() override;
  bool pending() const;
  Instant ping_at() const;
  void send_oldest_again();
  void tidy_soon();
  void fail(const Error& why);
  void fail_on_violation(const Error& why);
  void close_with(std::uint64_t code, std::string_view reason, const Error& why);
  void finish_close(const Error& why, Bytes packet);

  Shared& shared_;
  ConnectionState state_ = ConnectionState::kHandshaking;
  Path path_;
  const IpEndpoint first_remote_;  // where it began
  const Cid cid_;     // by which the peer sends to us
  Cid peer_cid_ = 0;  // and we to it
  mux::ReadyLink<Connection> ready_;

  // The handshake.
  std::unique_ptr<Handshake> handshake_;
  resource::Reservation reservation_;
  Bytes cookie_;
  int cookies_ = 0;
  Bytes saying_;               // the handshake's datagram that is repeated, or sent on demand
  bool saying_due_ = false;
  int said_ = 0;
  Instant say_again_at_ = kNever;
  bool confirmed_ = false;     // the peer has the keys, too
  Instant begun_at_, said_at_{};
  std::vector<Bytes> early_;
  int firsts_ = 1, finishes_refused_ = 0;

  // Packets.
  std::optional<SessionKeys> keys_;
  Instant key_since_{};
  ReplayWindow replay_;
  AckTracker acks_;
  RttEstimator rtt_;
  LossRecovery recovery_;
  std::unique_ptr<CongestionController> congestion_;
  Pacer pacer_;
  MtuProbe mtu_;
  Instant paced_until_ = kNever;
  bool ping_due_ = false;
  int packets_before_streams_ = 0;
  Instant heard_at_, pinged_at_;
  Duration idle_timeout_;

  // Paths.
  std::optional<Path> candidate_;  // where the peer seems to be now
  Challenge challenge_{};
  bool challenge_due_ = false;
  std::optional<Challenge> response_;  // to a challenge, which goes back where it came from
  Path response_path_;

  StreamEngine engine_;
  mux::DatagramQueue datagrams_out_, datagrams_in_;
  bool datagram_lent_ = false;  // the first of datagrams_in_ is in the application's hands
  mux::MemoryBudget message_memory_;
  FecSender fec_out_;
  FecReceiver fec_in_;
  MessageSender messages_out_;
  MessageReceiver messages_in_;
  Message message_lent_;  // in the application's hands
  Instant tidy_at_ = kNever;
  std::uint64_t packets_lost_ = 0;
  std::uint64_t packets_sent_ = 0, packets_received_ = 0, bytes_sent_ = 0, bytes_received_ = 0;
};

}  // namespace p2pa::udp
