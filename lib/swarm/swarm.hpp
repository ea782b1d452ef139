#pragma once
// Connections and streams of a node: dials peers, opens streams for protocols, and hands what
// arrives to whom it belongs.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/timer_queue.hpp"
#include "peerstore/peerstore.hpp"
#include "resource/manager.hpp"
#include "swarm/caretaker.hpp"
#include "swarm/dialer.hpp"
#include "swarm/stream_pool.hpp"
#include "transport/stream.hpp"
#include "transport/transport.hpp"

namespace p2pa::swarm {

/// Streams that wait for a connection, or for the peer's stream credit, per peer; and per connection those
/// that go over just that one.
inline constexpr std::size_t kWaitingOpensMax = 4096;
/// Inbound streams must agree on a protocol within this time.
inline constexpr Duration kNegotiationTimeout = seconds(10);
/// Streams wait so long for the peer's stream credit.
inline constexpr Duration kOpenTimeout = seconds(10);
/// Transport events handled in one turn.
inline constexpr int kEventsPerTurn = 256;

/// A port: what the node wants to know. Called in the swarm's turn.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_connected(Instant now, Connection& connection) = 0;
  /// `last`: no other connection to this peer is left.
  virtual void on_disconnected(Instant now, Connection& connection, const Error& why, bool last) = 0;
  virtual void on_path_changed(Instant now, Connection& connection) = 0;
  virtual void on_datagram(Instant now, Connection& connection, ByteView payload) = 0;
  /// Of a session over UDP.
  virtual void on_message(Instant, Connection&, const SessionMessage&) {}
  /// One address of a dial did not work; others may.
  virtual void on_dial_failed(const PeerId&, const Multiaddr&, const Error& /*why*/) {}
  /// A dial has ended; null: nobody was reached.
  virtual void on_dial_ended(Instant, const std::shared_ptr<const DialReport>&, Connection*) {}
  /// Somebody who dialed us was refused, or went away before there was a connection. `peer` is empty when it was
  /// not proven; `from` may be no more than an IP address. Also called outside of a turn.
  virtual void on_refused(const PeerId& /*peer*/, const Multiaddr& /*from*/, const Error& /*why*/) {}
  /// An inbound stream agreed on no protocol.
  virtual void on_stream_refused(Connection&, const Error& /*why*/) {}
};

class Swarm final : public StreamOpener, private DialerHost, private CareHost {
 public:
  /// `self`: whom it never dials. `names`: null where addresses with names are not dialed. REQUIRES that all
  /// others outlive the swarm, and that `names` has no turn after it.
  Swarm(const PeerId& self, std::vector<Transport*> transports, resource::Manager& resources,
        peerstore::Peerstore& peers, Rng& rng, Observer& observer, const CareOptions& care = {},
        dns::Resolver* names = nullptr, DialPrivate dial_private = DialPrivate::kSameSubnet,
        Duration open_timeout = kOpenTimeout);
  ~Swarm() override;
  Swarm(const Swarm&) = delete;
  Swarm& operator=(const Swarm&) = delete;

  /// Inbound streams that agree on this protocol go to `handler`. Of 0-RTT, which may be a replay, only
  /// those of a protocol that is `replay_safe` go at once; the others when the connection is established.
  /// kInvalidState: the id is taken. kInvalidArgument: it is empty, too long, or has control characters.
  Result<void> serve(std::string protocol, StreamHandler& handler, bool replay_safe = false);
  std::vector<std::string> protocols() const;

  /// As Dialer::dial(). `done` comes once, in a turn.
  void dial(const PeerId& peer, DialDone done, const DialOptions& options = {}) {
    dialer_.dial(peer, std::move(done), options);
  }
  void dial(const Multiaddr& address, DialDone done, const DialOptions& options = {}) {
    dialer_.dial(address, std::move(done), options);
  }
  /// Closes every connection to the peer, and gives up a dial that is under way and what was asked in this
  /// turn (kCancelled). It is kept no more.
  void disconnect(const PeerId& peer, std::uint64_t code);
  /// Fails every dial and open; nothing is accepted from now on. REQUIRES to be called between turns.
  void close(Instant now);
  /// Closes the connections that have delivered what was written to them, and the rest too when `all`. Says
  /// how much the others have still to deliver.
  std::size_t close_connections(bool all);

  void open_stream(const PeerId& peer, std::string_view protocol, StreamHandler& handler,
                   std::uint64_t tag, OpenStreamOptions options) override;

  /// Stays connected to the peer: dials it now, and whenever no connection is left. kLimitPeer: kKeptPeersMax.
  Result<void> keep(Instant now, const PeerId& peer);
  bool unkeep(const PeerId& peer) { return care_.unkeep(peer); }
  ConnectionPool& pool() { return care_.pool(); }
  /// Whoever changed a rule says rules_changed(): in the next turn, what does not pass any more ends.
  Gater& gater() { return care_.gater(); }
  void rules_changed() { rules_changed_ = true; }
  /// See Caretaker.
  void network_changed(Instant now, const std::vector<InterfaceAddress>& interfaces);
  const Quality* measure(Instant now, const Connection& connection) { return care_.measure(now, connection); }
  Duration age(Instant now, const Connection& connection) const { return care_.age(now, connection.id()); }
  /// The one of several peers to ask next; those without a connection count as neither good nor bad. REQUIRES some.
  PeerId choose_peer(const std::vector<PeerId>& peers);

  /// Works off what happened, at most kEventsPerTurn events. True: there is more.
  bool turn(Instant now);
  /// Something was asked since the last turn.
  bool has_work() const { return rules_changed_ || !opens_.empty() || dialer_.has_work(); }
  /// There are other sockets, or what follows was told: dials that waited go on.
  void sockets_changed(Instant now) { dialer_.advance(now); }
  void set_interfaces(std::vector<InterfaceAddress> interfaces) { dialer_.set_interfaces(std::move(interfaces)); }
  void set_listens_on_loopback(bool listens) { dialer_.set_listens_on_loopback(listens); }
  Instant next_deadline() const;
  void on_deadline(Instant now);

  /// The established connection to use, the best; null when there is none.
  Connection* best_connection(const PeerId& peer) const override;
  /// The best one over which messages go; null when there is none.
  Connection* best_session(const PeerId& peer) const;
  /// An established connection; null when it is gone.
  Connection* find(ConnectionId id) const;
  std::vector<Connection*> connections() const;
  std::uint32_t streams_count(const Connection& connection) const;
  bool idle() const { return live_.empty() && early_.empty() && dialer_.idle(); }

 private:
  struct Service {
    StreamHandler* handler;
    bool replay_safe;
  };
  struct OpenRequest {
    std::string protocol;
    StreamHandler* handler;
    std::uint64_t tag;
    OpenStreamOptions options;
    PeerId peer;
    bool given_up = false;
    Instant deadline = kNever;  // while it waits for credit
  };
  struct Live {  // an established connection
    Connection* connection;
    StreamList streams;
    resource::Reservation reservation;
    std::deque<OpenRequest> waiting;  // for credit of this one
    Error ended{Code::kOk, 0, ""};    // why it was closed, where its transport only knows that it was
  };
  struct Early {  // a connection that has streams before it is established: 0-RTT
    Connection* connection;
    StreamList streams;
  };
  struct Peer {
    std::vector<ConnectionId> connections;  // established
    std::deque<OpenRequest> waiting;  // for a connection, or for credit of any
  };

  // DialerHost
  bool has_early_streams(const Connection& attempt) const override { return early_count(attempt.id()) > 0; }
  void on_attempt_failed(const PeerId& peer, const Multiaddr& address, const Error& why) override;
  void on_dial_ended(Instant now, const std::shared_ptr<const DialReport>& report, Connection* connection) override;
  Result<void> may_dial(const PeerId& peer) const override { return care_.gater().peer(peer); }
  Result<void> may_try(const PeerId& peer, const Multiaddr& address) const override {
    return care_.gater().connection(peer, address);
  }

  // CareHost
  ConnectionPool::Use use_of(ConnectionId id) const override;
  void close_connection(Connection& connection, std::uint64_t code, const Error& why) override;
  void dial_kept(const PeerId& peer) override;

  bool serves(std::string_view protocol) const;
  void apply_rules(Instant now);
  /// The established connections of a peer, in the order in which streams try them.
  std::vector<ConnectionId> usable(const Peer& peer) const;

  void process_opens(Instant now);
  void process_open(Instant now, OpenRequest request);
  void open_bound(Instant now, OpenRequest request);
  /// With a connection that exists.
  void open_unbound(Instant now, Peer& peer, OpenRequest request);
  void open_by_dialing(Instant now, OpenRequest request);
  /// False: the peer gives no stream credit now, and kStreamsAvailable follows; the request was not used.
  bool open_on(Instant now, Connection& connection, StreamList& streams, OpenRequest& request);
  /// False: no connection of the peer has credit, and each of them tells when it has.
  bool open_on_any(Instant now, const Peer& peer, OpenRequest& request);
  /// The request waits for credit, last in line.
  void await_credit(Instant now, Live& live, OpenRequest request);
  void await_credit(Instant now, Peer& peer, OpenRequest request);
  /// Those that waited for the first connection wait for its credit from now on.
  void await_credit_instead(Instant now, const PeerId& peer);
  void give_up_late(Instant now);
  void give_up_late(Instant now, std::deque<OpenRequest>& waiting);
  void fail_all(Instant now, std::deque<OpenRequest> requests, const Error& why);
  /// Fails what waits for a connection, when there is none and none is on its way.
  void fail_waiting(Instant now, const PeerId& peer, const Error& why);
  void release_waiting(Instant now, const PeerId& peer);

  void handle(Instant now, Connection& connection, const ConnectionEvent& event);
  void on_established(Instant now, Connection& connection);
  /// There is no place for an established connection.
  void turn_away(Instant now, Connection& connection, std::uint64_t code, const Error& why);
  void on_closed(Instant now, Connection& connection, const Error& why);
  void on_stream_opened(Instant now, Connection& connection, StreamId id);
  void on_readable(Instant now, StreamSlot& slot);
  void end_stream(Instant now, StreamSlot& slot, const Error& why);
  void end_all(Instant now, StreamList& streams, const Error& why);
  StreamList& list_of(const Connection& connection);
  std::uint32_t early_count(ConnectionId id) const;
  void negotiate(Instant now, StreamSlot& slot);
  /// Gives an inbound stream to the handler of the protocol that it agreed on.
  void hand_over(Instant now, StreamSlot& slot);
  void hand_over_early(Instant now, ConnectionId connection);
  void await_protocol(Instant now, StreamSlot& slot);
  void forget_if_idle(const PeerId& peer);

  const PeerId self_;
  const std::vector<Transport*> transports_;
  std::size_t first_ = 0;  // whose events are first in this turn
  resource::Manager& resources_;
  Observer& observer_;

  std::map<std::string, Service, std::less<>> services_;
  multistream::Negotiation::Known known_;
  StreamPool pool_;
  std::unordered_map<ConnectionId, Live> live_;
  std::map<ConnectionId, Early> early_;
  std::unordered_map<PeerId, Peer, PeerIdHash> peers_;
  Dialer dialer_;
  Rng& rng_;
  Caretaker care_;
  bool rules_changed_ = false;
  const Duration open_timeout_;
  TimerQueue<PeerId, PeerIdHash> peer_waits_;   // of the first in each line, or sooner
  TimerQueue<ConnectionId> connection_waits_;
  std::vector<OpenRequest> opens_;  // asked since the last turn
  std::vector<OpenRequest> opens_taken_;
  struct Negotiating {  // an inbound stream that has not named a protocol of ours
    Instant deadline;
    StreamSlot* slot;
    std::uint32_t generation;
    bool over() const { return slot->generation != generation || slot->stream->negotiation().agreed(); }
  };
  std::deque<Negotiating> negotiating_;  // in order of deadline; some are over
  Bytes reply_;  // scratch
  bool closing_ = false;
};

}  // namespace p2pa::swarm
