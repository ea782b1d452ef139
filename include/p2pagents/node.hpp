#pragma once
// A node: one identity, its connections, and what it serves. The same face over the real network
// (Node::open) and in the simulated world (p2pagents/sim.hpp).

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "p2pagents/bytes.hpp"
#include "p2pagents/dial_report.hpp"
#include "p2pagents/drops.hpp"
#include "p2pagents/error.hpp"
#include "p2pagents/key_pair.hpp"
#include "p2pagents/lan.hpp"
#include "p2pagents/limits.hpp"
#include "p2pagents/log.hpp"
#include "p2pagents/message_channel.hpp"
#include "p2pagents/multiaddr.hpp"
#include "p2pagents/peer_id.hpp"
#include "p2pagents/pre_shared_key.hpp"
#include "p2pagents/rpc.hpp"
#include "p2pagents/session_message.hpp"
#include "p2pagents/shaping.hpp"
#include "p2pagents/time.hpp"

namespace p2pa {

class NodeCore;
class Driver;

/// CUBIC shares a path fairly; BBR keeps its speed where packets are lost at random.
enum class CongestionControl : std::uint8_t { kCubic, kBbr };

/// What secures a connection over TCP; QUIC brings its own.
enum class Security : std::uint8_t { kNoise, kTls };

/// Which private addresses (RFC 1918, 6598, 4193, link-local, loopback) that others told us of are dialed.
/// What the host itself gave, to dial() or add_address(), always is.
enum class DialPrivate : std::uint8_t {
  /// Those in a network that one of our interfaces is in; loopback for peers that were reached on this host, and
  /// for nodes that listen there. Hosters take other dials for a scan.
  kSameSubnet,
  kAll,
  kNone,
};

/// What a node is opened with; the defaults are fit for use.
struct NodeOptions {
  std::optional<KeyPair> key;          ///< none: a fresh one
  /// `/udp/N/quic-v1`, `/udp/N/p2pa-udp` (our own sessions), `/tcp/N`, `/tcp/N/ws` and `/tcp/N/tls/ws`, of an IP
  /// address each. None: dials only, from a system-chosen port.
  std::vector<Multiaddr> listen;
  /// For TCP, the preferred first; at least one. What a peer refuses costs the dial of it two round trips.
  std::vector<Security> security{Security::kNoise, Security::kTls};
  /// Makes the node one of a private network: it speaks over TCP and WebSocket to nodes with this key, and to
  /// no others; nothing over UDP is dialed or listened on.
  std::optional<PreSharedKey> network_key;
  /// "http://host:port" or "socks5://host:port", with "user:password@" in front of an IP address or "localhost":
  /// every dial goes through it, over TCP or WebSocket; what runs over UDP cannot, and is not dialed. Empty: none.
  std::string proxy;
  /// For `/tls/ws` listeners: PEM files of the certificate chain and its key, looked at again every minute, so
  /// that a renewed certificate needs no restart. Empty: such addresses cannot be listened on.
  std::string web_certificate_file, web_key_file;
  /// PEM file of whom `/wss` dials believe. Empty: everybody, since the peer proves who it is above that.
  std::string web_roots_file = "/etc/ssl/certs/ca-certificates.crt";
  std::string agent_version;           ///< what identify says; empty: "p2pagents/<version>"
  Limits limits;
  CongestionControl congestion_control = CongestionControl::kCubic;  ///< of QUIC and of sessions over UDP
  Duration idle_timeout = seconds(30); ///< silence after which a connection is lost
  Duration keep_alive = milliseconds(9500);  ///< zero: none; under 10 s, since rust peers give up then
  Duration handshake_timeout = seconds(10);
  /// How long a stream, or a call, waits on a connection for the peer to take one more; then it ends with kTimeout.
  Duration open_timeout = seconds(10);
  DialPrivate dial_private = DialPrivate::kSameSubnet;
  /// Where a peer is near (a round trip of 10 ms), a silence of this makes the node ask whether it lives, and one
  /// of about four times this ends the connection: an agent that polls its node more seldom is lost to others. A
  /// quiet connection costs 100 bytes a second for it. Far peers are asked when somebody waits for them or when
  /// they are kept, and five times as patiently. Zero: only idle_timeout counts.
  Duration heartbeat = milliseconds(700);
  /// Over high_water connections (zero: never) the least valuable close, until low_water are left: not those of
  /// protected or kept peers, nor such as are younger than `grace`; what is in use drains first.
  std::uint32_t low_water = 0, high_water = 0;
  Duration grace = seconds(20);
  Duration idle_close{};               ///< closes connections that nobody uses; zero: they stay
  /// Two peers that dial each other at once have two connections: what is over this closes when it is not in
  /// use, the same one at both ends. Zero: all stay.
  std::uint32_t connections_kept_per_peer = 1;
  bool serve_perf = false;             ///< answer /perf/1.0.0: anybody may make us send bytes
  /// Who resolves names in addresses: "192.0.2.53", "127.0.0.1:5353" (8 at most). None: whom the system asks,
  /// or with a `proxy` nobody, since they are asked around it; addresses with names are kUnsupported then.
  std::vector<std::string> dns_servers;
  LanOptions lan;                      ///< which messages of a local network are ours; see Node::join_lan()
  std::string qlog_directory;          ///< empty: no qlog files; <peer>-<time of start>-<n>.sqlog
  LogFunction log;                     ///< none: silent
  LogLevel log_level = LogLevel::kInfo;
};

/// A connection as it was when asked for.
struct ConnectionInfo {
  std::uint64_t id = 0;
  PeerId peer;
  Multiaddr remote_address;
  bool outbound = false;
  Duration rtt{};
  std::uint64_t bytes_sent = 0, bytes_received = 0;
  std::uint64_t packets_sent = 0, packets_received = 0;
  std::uint32_t streams = 0;
  Duration jitter{};      ///< mean deviation of the round trip
  double loss = 0;        ///< share of our packets that had to be repeated, of late; TCP does not tell
  double throughput = 0;  ///< bytes per second of late, both directions together
  double score = 0;       ///< 1 is perfect; 0.5 is what an exchange of 100 ms has
  Duration age{};
};

/// What identify told us of a peer.
struct PeerInfo {
  PeerId peer;
  std::string agent_version, protocol_version;
  std::vector<std::string> protocols;
  std::vector<Multiaddr> listen_addresses;
  std::optional<Multiaddr> observed_address;  ///< how the peer sees us
};

/// What happened, for Node::on_event(); beside each kind stand the members that it fills.
struct NodeEvent {
  enum class Kind : std::uint8_t {
    kListening,      ///< address
    kListenFailed,   ///< address, error
    kConnected,      ///< peer, address, connection
    kDisconnected,   ///< peer, connection, error says why; the last connection when `last`
    kIdentified,     ///< peer; info() has the rest
    kPathChanged,    ///< peer, address: a connection survived an address change
    kDialed,         ///< peer, address, connection, dial: a dial of ours, whoever asked for it, has ended well
    kDialFailed,     ///< peer, error, dial: it has not
    /// peer, address, error, count: who dialed us was refused by a rule, a bound, a wrong key or protocol, or gave
    /// up in the handshake; `peer` when it was proven, `address` perhaps no more than its IP address, and of a bound
    /// on handshakes none. For one code at most once a second: `count` were refused for it since, and this is the
    /// newest.
    kRefused,
    kClosed,         ///< the node is closed; nothing follows
  };
  Kind kind;
  PeerId peer;
  Multiaddr address;
  std::uint64_t connection = 0;
  bool last = false;
  std::uint64_t count = 0;
  Error error{Code::kOk, 0, ""};
  std::shared_ptr<const DialReport> dial;  ///< shared: events are copied, and it can be long
};

struct AgentStreamHandler;

/// A raw two-way byte stream on a protocol of the author's own. Owned by the node; valid until
/// on_end returned. REQUIRES the node's thread.
class AgentStream {
 public:
  virtual ~AgentStream() = default;
  virtual std::uint64_t id() const = 0;  ///< unique within its node, never reused, never 0
  virtual const PeerId& peer() const = 0;
  virtual std::string_view protocol() const = 0;
  virtual ByteView peek() const = 0;
  virtual void consume(std::size_t n) = 0;
  virtual bool at_end() const = 0;
  /// Queues bytes (copied) and says how many were taken, perhaps none: the send buffer is full, or a bound on
  /// memory is reached. After a short count on_writable follows when there is room again. kStreamFinished: the
  /// stream takes no more. kClosed: the connection is closed.
  virtual Result<std::size_t> write(ByteView bytes) = 0;
  virtual std::size_t writable() const = 0;  ///< how much write() would take now
  virtual void finish() = 0;
  virtual void reset(std::uint64_t code) = 0;
  /// Of what this end writes, from now on, also of what it has written and not sent. In the beginning
  /// kInteractive: said where the stream is opened or taken, it holds from the first byte on.
  virtual void set_priority(Priority priority) = 0;
  virtual void set_handler(AgentStreamHandler handler) = 0;
};

/// What one end of a raw stream is told, in the node's turn.
struct AgentStreamHandler {
  std::move_only_function<void(AgentStream&)> on_readable;  ///< drain with peek()/consume()
  std::move_only_function<void(AgentStream&)> on_writable;  ///< after a short write()
  std::move_only_function<void(AgentStream&, const Error& why)> on_end;  ///< kOk: both ends finished
};

/// How one dial differs from others.
struct DialOptions {
  /// Tries also, after all others, what failed a short while ago and what seems to be blocked from here. An
  /// address given to dial() itself is tried in any case.
  bool force = false;
};
using DialCallback = std::move_only_function<void(Result<ConnectionInfo>)>;
/// With what became of every address; valid during the call.
using DialReportCallback = std::move_only_function<void(Result<ConnectionInfo>, const DialReport&)>;
using PingCallback = std::move_only_function<void(Result<Duration>)>;
/// What /perf/1.0.0 measured.
struct PerfResult { std::uint64_t bytes_up = 0, bytes_down = 0; Duration upload{}, download{}; };
using PerfCallback = std::move_only_function<void(Result<PerfResult>)>;

/// A callback that tells how something ended may be empty: nobody wants to know.
/// REQUIRES for every function unless it says "any thread": the thread that polls, or, in thread
/// mode, a function given to post().
class Node final {
 public:
  /// A node on the real network. Starts no thread, opens its sockets at once.
  /// Errors: kInvalidArgument (an option that can never work, by name), kIo (no socket at all; detail: errno).
  static Result<std::unique_ptr<Node>> open(NodeOptions options);
  /// For drivers: the face of a core that somebody else runs. `driver` may be null (the world).
  Node(std::unique_ptr<NodeCore> core, std::unique_ptr<Driver> driver);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // --- who and where
  const PeerId& id() const;
  /// Where we listen, with /p2p/<id>; unspecified addresses are expanded to the interfaces'.
  std::vector<Multiaddr> addresses() const;
  /// Starts to listen; kListening or kListenFailed follows. kClosed: after close().
  Result<void> listen(const Multiaddr& address);

  // --- peers
  /// Remembers where a peer may be found (up to 32 addresses a peer).
  Result<void> add_address(const PeerId& peer, const Multiaddr& address);
  /// Connects, or answers with the connection that exists. The address names the peer
  /// (/p2p/<id>), or any peer is accepted. Names (/dns, /dns4, /dns6, /dnsaddr) are resolved first, which
  /// may fail with kUnresolved. The callback comes exactly once.
  void dial(const Multiaddr& address, DialCallback done);
  void dial(const PeerId& peer, DialCallback done);
  void dial(const Multiaddr& address, const DialOptions& options, DialReportCallback done);
  void dial(const PeerId& peer, const DialOptions& options, DialReportCallback done);
  /// Closes every connection to the peer, which is kept no more; a dial that is under way ends with kCancelled.
  void disconnect(const PeerId& peer);
  /// Stays connected to the peer: dials it now, and again whenever it is lost, with pauses of 250 ms to a minute
  /// while it does not answer, and at once when the network changes. Again: nothing changes. kLimitPeer: 4096
  /// peers are kept. kInvalidArgument: this node itself. kClosed: after close().
  Result<void> keep(const PeerId& peer);
  /// False: it was not kept. The connection stays.
  bool unkeep(const PeerId& peer);
  /// A peer with any such tag is neither trimmed nor closed for idleness. kLimitPeer: 64 tags a peer.
  Result<void> protect(const PeerId& peer, const std::string& tag);
  /// True: another tag protects it still.
  bool unprotect(const PeerId& peer, const std::string& tag);
  /// What the peer is worth to whom names the tag; those with the least sum are trimmed first. Zero takes it back.
  Result<void> set_value(const PeerId& peer, const std::string& tag, int value);
  /// Of several peers that offer the same the one to ask next: the better of two at random, by quality and load
  /// of their connections. REQUIRES some.
  PeerId choose_peer(const std::vector<PeerId>& peers);

  // --- whom to deal with. A rule is a PeerId, an IP address or a range of them ("10.0.0.0/8"), or the id of a
  // protocol, which begins with "/". What does not pass any more ends in the next turn, with kGated.
  /// What it names does not pass, whatever else names it. kInvalidArgument: it is no rule.
  Result<void> deny(std::string_view rule);
  /// What it names may pass when only that may; see allow_only(). kInvalidArgument: it is no rule, or a protocol.
  Result<void> allow(std::string_view rule);
  /// Takes back deny() and allow(). kNotFound: neither was said. kInvalidArgument as above.
  Result<void> forget_rule(std::string_view rule);
  /// True: from now on a connection passes only when allow() named its peer or its address.
  void allow_only(bool allowed_only);

  // --- how fast. `scope` is "" for the whole node, a PeerId, or the id of a protocol, which begins with "/"; what
  // falls under several limits obeys all. Outbound, streams without tokens wait and their send buffers fill.
  // Inbound, what arrived waits unread, and the peer is stopped by flow control; nothing is dropped. When there
  // is not enough for all, the more urgent class goes first, across all connections; see Priority.
  /// From now on, also for what is under way; changes a limit that is set. kInvalidArgument: no scope, or a rate
  /// or a burst out of its bounds.
  Result<void> set_rate_limit(std::string_view scope, Direction direction, const RateLimit& limit);
  /// kNotFound: none was set. kInvalidArgument: no scope.
  Result<void> clear_rate_limit(std::string_view scope, Direction direction);
  /// None: it is not limited. kInvalidArgument: no scope.
  Result<std::optional<RateLimit>> rate_limit(std::string_view scope, Direction direction) const;

  std::vector<ConnectionInfo> connections() const;
  std::optional<PeerInfo> info(const PeerId& peer) const;
  LimitCounters limit_counters() const;
  DropCounters drop_counters() const;
  LimitUsage usage() const;

  // --- requests
  /// Serves a method. kInvalidState: the name is taken. kInvalidArgument: names are 1 to 255 bytes of
  /// UTF-8, and the function is not empty.
  Result<void> serve(std::string name, Method method);
  Result<void> serve(std::string name, UnaryMethod method);
  void stop_serving(std::string_view name);
  /// Calls a method of a peer, dialing when not connected. The outcome comes exactly once.
  CallId call(const PeerId& peer, std::string_view method, ByteView request, CallOptions options,
              UnaryCallback done);
  /// Opens a call of any shape; the request's messages are sent on the Call returned. The pointer
  /// is valid until on_end. Null never: a refusal comes as on_end.
  Call* open_call(const PeerId& peer, std::string_view method, CallOptions options,
                  CallHandler handler);
  /// A message without an answer.
  void notify(const PeerId& peer, std::string_view method, ByteView message,
              std::move_only_function<void(const CallOutcome&)> done = {});
  Call* find_call(CallId id);

  // --- raw streams, own protocols
  /// kInvalidState: the protocol is served. kInvalidArgument: its name, or an empty function.
  Result<void> handle_protocol(std::string protocol, std::move_only_function<void(AgentStream&)> on_stream);
  void open_stream(const PeerId& peer, std::string_view protocol,
                   std::move_only_function<void(Result<AgentStream*>)> done);
  AgentStream* find_stream(std::uint64_t id);
  /// Datagrams between own nodes, over QUIC and sessions over UDP: unreliable, unordered.
  Result<void> send_datagram(const PeerId& peer, ByteView payload);
  void on_datagram(std::move_only_function<void(const PeerId& from, ByteView payload)> handler);

  // --- messages that may be lost, with forward error correction
  /// Opens a one-way channel for messages to a peer, dialing when not connected. kProtocolUnsupported: the
  /// peer knows no such channels. kUnsupported: no datagrams to it, as over TCP. kTimeout, or a bound.
  /// kInvalidArgument: the options, by name; then too `opened` comes in a turn.
  void open_message_channel(const PeerId& peer, MessageChannelOptions options, MessageChannelCallback opened);
  /// What comes through the channels that peers opened to us; valid during the call.
  void on_message(std::move_only_function<void(const PeerId& from, ByteView message)> handler);

  // --- messages over sessions, which `/udp/N/p2pa-udp` addresses lead to
  /// Queues a copy on the peer's best session; what is on its way when that ends is lost. kNotFound: there is
  /// none. kMessageTooLarge. kInvalidArgument: no such channel. kWouldBlock: 2 MiB wait or are not acknowledged,
  /// or a bound on memory is reached; nothing was taken.
  Result<void> send_session_message(const PeerId& peer, ByteView message, const SessionMessageOptions& options);
  void on_session_message(std::move_only_function<void(const PeerId& from, const SessionMessage& message)> handler);

  // --- messages to everybody on the local network, signed by this node, over no connection. They may be lost, or
  // come in another order. The first use opens the sockets; kListenFailed: nothing can be heard.
  /// Hears what others send on this topic. kInvalidArgument: a topic has 1 to 64 bytes of UTF-8. kLimitMemory: 256
  /// are joined. kClosed: after close().
  Result<void> join_lan(std::string_view topic);
  /// kNotFound: it was not joined.
  Result<void> leave_lan(std::string_view topic);
  /// Sends to all that joined the topic, on every interface that is up, and not to this node. kInvalidArgument as
  /// above. kMessageTooLarge: over kLanMessageBytesMax. kRateLimited: over 200 a second, and at once. kWouldBlock:
  /// 512 wait for the network. kClosed: after close().
  Result<void> send_lan(std::string_view topic, ByteView message);
  /// What comes on topics that were joined; valid during the call. A sender that is new here is asked to prove that
  /// it is there before anything of it is delivered, which takes a round trip.
  void on_lan_message(std::move_only_function<void(const LanMessage&)> handler);
  LanCounters lan_counters() const;

  // --- measuring
  void ping(const PeerId& peer, PingCallback done);
  void perf(const PeerId& peer, std::uint64_t upload, std::uint64_t download, PerfCallback done);

  // --- running
  void on_event(std::move_only_function<void(const NodeEvent&)> handler);
  /// Works until nothing is left to do now, at most `budget` turns, then waits for the network up
  /// to `timeout` (zero: do not wait). Says how many turns did work. kInvalidState: thread mode.
  Result<int> poll(Duration timeout, int budget = 64);
  /// Readable when poll() has work; valid as long as the node. -1 in the world.
  int wakeup_fd() const;
  /// When poll() must run at the latest even if the descriptor is silent.
  Instant next_deadline() const;
  /// The driver's monotonic clock (virtual in the world).
  Instant now() const;
  /// Runs the node on a thread of the library until stop_thread(). From then on only post() and
  /// wait-free getters are allowed elsewhere.
  Result<void> start_thread();
  void stop_thread();
  /// Any thread: runs fn in the node's turn. kClosed: the node is closed, fn was dropped.
  Result<void> post(std::move_only_function<void(Node&)> fn);
  /// poll() until the predicate holds or the time is up. For tests, tools and examples.
  bool poll_until(std::move_only_function<bool()> done, Duration timeout);
  /// Starts the orderly end, in the next turn: calls end, what was sent or reported as done is delivered (a
  /// peer that acknowledges nothing holds this up for a second, a slow one for half a minute at most),
  /// connections close, and kClosed comes last. May be called in every callback.
  void close();
  bool closed() const;

  NodeCore& core() { return *core_; }

 private:
  std::unique_ptr<NodeCore> core_;
  std::unique_ptr<Driver> driver_;
};

}  // namespace p2pa
