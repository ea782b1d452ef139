#pragma once
// One TCP connection: from the SYN over security and muxer to streams, and what it tells of them.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "resource/manager.hpp"
#include "transport/multistream/negotiation.hpp"
#include "transport/mux/muxed_connection.hpp"
#include "transport/mux/ready_list.hpp"
#include "transport/secure/secure_channel.hpp"
#include "transport/tcp/endpoint.hpp"
#include "transport/tcp/road.hpp"
#include "transport/yamux/session.hpp"

namespace p2pa::tcp {

struct Shared;

/// A dialer says at once what it wants, and most often that is what the other end has: multistream's
/// proposal and the first message of the secure channel travel together, and so do the proposal of the
/// muxer and the first stream. The first answer needs three round trips, TCP's own included.
class Connection final : public mux::MuxedConnection, private yamux::Session::Owner {
 public:
  static std::unique_ptr<Connection> dial(Shared& shared, ConnectionId id, Road road, LayerStack layers,
                                          const DialTarget& target);
  static std::unique_ptr<Connection> accept(Shared& shared, ConnectionId id, Road road, LayerStack layers,
                                            const SocketEvent& accepted,
                                            resource::Reservation handshake);
  ~Connection() override;

  // p2pa::Connection
  bool established() const override { return state_ == State::kOpen; }
  DialStage stage() const override;
  bool early_data_possible() const override { return false; }
  Result<StreamId> open_stream(bool replay_safe) override;
  std::size_t undelivered() const override { return streams_.undelivered() + (session_ ? session_->unconfirmed() : 0); }
  void ask_delivery() override;
  Result<void> send_datagram(ByteView payload) override;
  std::size_t datagram_size_max() const override { return 0; }
  void close(std::uint64_t code, std::string_view reason) override;
  ConnectionStats stats(Instant now) const override;
  Instant heard_at() const override { return session_ ? session_->heard_at() : kNever; }
  void probe() override { if (established()) session_->probe(); }

  // For the endpoint.
  SocketId socket_id() const { return socket_; }
  bool closed() const { return state_ == State::kClosed; }
  void tidy() override;
  void handle(const SocketEvent& event);
  void on_deadline();
  Instant next_deadline() const;  ///< kNever when closed
  /// Fills the buffer with what is to be written next; nothing while something is under way.
  std::size_t fill(MutableBytes buffer);

 private:
  friend class mux::ReadyList<Connection>;

  enum class State : std::uint8_t {
    kConnecting,  ///< the SYN is under way
    kDressing,    ///< what it wears below its security greets and is greeted
    kSecuring,    ///< what secures it is chosen, and then that shakes hands
    kMuxing,      ///< secured; an inbound one waits for the muxer's proposal
    kOpen,
    kClosed,
  };

  Connection(Shared& shared, ConnectionId id, bool outbound, SocketId socket, Road road,
             LayerStack layers);

  void propose_security();
  void choose_security(Security security);
  bool try_next_security();
  Result<void> on_secured();
  void open_session();

  void on_connected(const IpEndpoint& local);
  void begin_layers();
  void on_dressed();
  void on_bytes(ByteView bytes);
  void on_undressed(ByteView bytes);
  /// Says how much of `bytes` was taken; what is not complete stays.
  Result<std::size_t> process(ByteView bytes);
  Result<std::size_t> select(ByteView bytes);
  Result<std::size_t> shake_hands(ByteView bytes);
  Result<std::size_t> open_records(ByteView bytes);
  Result<void> on_plain(ByteView bytes);
  void on_peer_ended();

  void describe(ConnectionEvent&) override {}
  void on_session_wakes() override { want_to_write(); }
  void want_to_write();
  std::size_t fill_dressed(MutableBytes buffer);
  std::size_t fill_undressed(MutableBytes buffer);
  std::size_t seal(ByteView plain, MutableBytes out);

  void fail(const Error& why);
  Bytes last_bytes();
  void finish_close(const Error& why, SocketRequest::Kind how);

  Shared& shared_;
  State state_ = State::kConnecting;
  State last_ = State::kConnecting;  // before kClosed
  SocketId socket_;
  const Road road_;
  std::size_t security_ = 0;  // the one of the configuration that is offered
  multistream::Negotiation security_choice_, muxer_choice_;
  std::unique_ptr<SecureChannel> channel_;
  resource::Reservation handshake_;
  LayerStack layers_;
  Bytes dressed_;   // to be written to the socket; empty where there are no layers
  Bytes clear_;     // to be written without a seal
  Bytes unsealed_;  // to be sealed and written before what the session has
  Bytes partial_;   // arrived, and not complete
  std::optional<yamux::Session> session_;
  Instant begun_at_;
  Instant tidy_at_ = kNever;  // when what is kept against flutter goes
  mux::ReadyLink<Connection> ready_;
  bool writing_ = false;     // until kWritten
  bool unreadable_ = false;  // what the peer sealed: then nothing is sealed for it either
  std::uint64_t bytes_sent_ = 0, bytes_received_ = 0, writes_ = 0, reads_ = 0;
};

}  // namespace p2pa::tcp
