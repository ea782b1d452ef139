#pragma once
// What a node is made of, and who tells whom. Only lib/node includes this.

#include <deque>
#include <functional>
#include <vector>

#include "crypto/rng.hpp"
#include "dns/resolver.hpp"
#include "node/agent_streams.hpp"
#include "node/callback.hpp"
#include "node/core.hpp"
#include "node/journal.hpp"
#include "node/local_network.hpp"
#include "node/refusals.hpp"
#include "node/sockets.hpp"
#include "node/web_files.hpp"
#include "peerstore/peerstore.hpp"
#include "protocols/identify/identify.hpp"
#include "protocols/messages/messages.hpp"
#include "protocols/perf/perf.hpp"
#include "protocols/ping/ping.hpp"
#include "protocols/rpc/rpc.hpp"
#include "resource/manager.hpp"
#include "swarm/swarm.hpp"
#include "transport/datagram_transport.hpp"
#include "transport/quic/endpoint.hpp"
#include "transport/tcp/endpoint.hpp"
#include "transport/udp/endpoint.hpp"

namespace p2pa {

/// Pieces of qlog that may wait for the driver; more are dropped.
inline constexpr std::size_t kFileEffectsMax = 4096;
/// How long a node that closes waits for others to acknowledge anything of what it sent, and all of it. TCP
/// that loses what it sent again is silent for longer than a second.
inline constexpr Duration kCloseTimeout = seconds(2), kCloseTimeoutMax = seconds(30);

struct NodeCore::Impl final : swarm::Observer {
  /// Until the next turn, until what was written is delivered and every connection closed, until that is
  /// sent, until what was still open is told as lost.
  enum class State : std::uint8_t { kRunning, kCloseAsked, kClosing, kFlushing, kEnding, kClosed };

  Impl(NodeOptions node_options, ByteView seed32, std::int64_t unix_time, Instant start, Machine machine);

  // swarm::Observer
  void on_connected(Instant at, Connection& connection) override;
  void on_disconnected(Instant at, Connection& connection, const Error& why, bool last) override;
  void on_path_changed(Instant at, Connection& connection) override;
  void on_datagram(Instant at, Connection& connection, ByteView payload) override;
  void on_message(Instant at, Connection& connection, const SessionMessage& message) override;
  void on_dial_failed(const PeerId& peer, const Multiaddr& address, const Error& why) override;
  void on_dial_ended(Instant at, const std::shared_ptr<const DialReport>& report, Connection* connection) override;
  void on_refused(const PeerId& peer, const Multiaddr& from, const Error& why) override;
  void on_stream_refused(Connection& connection, const Error& why) override;

  identify::Context identify_context(std::int64_t unix_time);
  void identified(PeerInfo info);

  /// First of all, whatever is handed in.
  void set_now(Instant at) {
    now = at;
    resources.shaper().advance(at);
  }
  bool turn(Instant at);
  /// Handshakes that a bound refused: by the counters, since who comes in such numbers may claim any address.
  void note_handshakes(Instant at);
  void tell_refusals(Instant at);
  bool has_work() const;
  /// Only notes it: close() may be called in any callback.
  void ask_to_close();
  void begin_close(Instant at);
  void advance_close(Instant at);
  /// Runs a completion in the next turn: nothing runs inside the call that started it.
  void defer(std::move_only_function<void()> completion) { deferred_.push_back(std::move(completion)); }
  void emit(NodeEvent event) { events.push_back(std::move(event)); }
  /// This host has other addresses than before.
  void network_changed(Instant at);
  /// kClosed: the node is closed, or about to be.
  Result<lan::Lan*> use_lan(Instant at);
  /// May something of the local network come from there? An empty PeerId: whose it is, is not known yet.
  Result<void> admit_lan(const PeerId& peer, const IpAddress& from);
  void append_qlog(ConnectionId id, ByteView bytes);
  std::vector<Multiaddr> addresses() const;
  ConnectionInfo describe_connection(const Connection& connection);

  NodeOptions options;
  Journal journal;
  Rng rng;
  Instant now;
  State state = State::kRunning;
  Instant close_deadline = kNever, close_latest = kNever;
  std::string qlog_prefix;            // of the files' names
  std::size_t undelivered_least = 0;  // of a node that closes

  resource::Manager resources;
  peerstore::Peerstore peers;
  SocketNumbers socket_numbers;
  quic::Endpoint quic;
  udp::Endpoint udp;
  tcp::Endpoint tcp;
  Sockets sockets;
  DatagramTransport<quic::Endpoint> quic_transport;
  DatagramTransport<udp::Endpoint> udp_transport;
  dns::Resolver names;
  swarm::Swarm swarm;
  identify::Identify identify;
  ping::Ping ping;
  perf::Perf perf;
  rpc::Rpc rpc;
  messages::Messages messages;
  AgentStreams streams;
  LocalNetwork lan;
  WebFiles web_files;
  std::vector<Protocol*> protocols;

  Refusals refusals;
  LimitCounters noted;  // of handshakes
  std::deque<Effect> file_effects;
  std::vector<std::move_only_function<void()>> deferred_;
  std::deque<NodeEvent> events;
  std::move_only_function<void(const NodeEvent&)> event_tap;
  Callback<const NodeEvent&> on_event;
  Callback<const PeerId&, ByteView> datagram_handler, message_handler;
  Callback<const PeerId&, const SessionMessage&> session_message_handler;
  Callback<const LanMessage&> lan_handler;
};

}  // namespace p2pa
