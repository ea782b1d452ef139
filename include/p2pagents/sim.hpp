#pragma once
// A whole network in one process: virtual time, hosts, links with faults, and real nodes that
// exchange real QUIC bytes. One seed gives one run: the same trace hash every time, on every
// machine.
//
//   bool connected = false;
//   sim::World world(7);
//   NodeOptions options;
//   options.listen = {*Multiaddr::parse("/ip4/0.0.0.0/udp/4001/quic-v1")};
//   const sim::NodeId server = world.add_node(std::move(options));
//   const sim::NodeId client = world.add_node({});
//   world.node(client).dial(world.address(server), [&](auto result) { connected = result.has_value(); });
//   world.run_until([&] { return connected; }, seconds(10));
//
// No wall clock, no entropy of the system, no thread. Nothing takes time but links: a node's turn
// happens in an instant. REQUIRES one thread for a world and everything in it.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"
#include "p2pagents/multiaddr.hpp"
#include "p2pagents/node.hpp"
#include "p2pagents/time.hpp"

namespace p2pa::sim {

using HostId = std::uint32_t;  ///< 0, 1, 2, ... in the order of add_host()
using NodeId = std::uint32_t;  ///< 0, 1, 2, ... in the order of add_node()
inline constexpr HostId kNoHost = 0xffff'ffff;
using RawTcpId = std::uint32_t;  ///< 1, 2, 3, ... in the order of open_tcp()

/// One direction of a link. Datagrams keep their order unless `reorder` says otherwise.
struct LinkOptions {
  Duration delay = milliseconds(10);
  Duration jitter{};  ///< up to this much on top of the delay, uniform
  double loss = 0;    ///< probabilities, 0 to 1; loss 1 cuts one direction
  double loss_burst = 1;  ///< packets lost in a row, the mean, when loss is below 1 (Gilbert); 1: each by itself
  double duplicate = 0;
  double reorder = 0;  ///< chance to be held back by `reorder_delay`
  Duration reorder_delay = milliseconds(5);
  std::uint64_t rate_bits_per_s = 0;     ///< of IP packets; zero: no bound
  std::size_t queue_bytes = 256 * 1024;  ///< waiting for the rate; what is over it is dropped
  std::size_t mtu = 1500;                ///< of IP packets; larger ones are dropped silently
};

/// A UDP datagram on its way, as on_datagram() sees it.
struct Datagram {
  Instant sent;
  HostId from = kNoHost, to = kNoHost;  ///< kNoHost: nobody has the address
  std::uint16_t from_port = 0, to_port = 0;
  ByteView bytes;
};

/// What a name has: IPv4 addresses, IPv6 addresses, or texts.
enum class DnsRecord : std::uint8_t { kA, kAaaa, kTxt };

/// How the name server of a world answers. Every host reaches it, whatever its links.
struct DnsOptions {
  Duration delay = milliseconds(20);
  Duration ttl = seconds(60);  ///< of every record, also of those that were changed meanwhile
  double silence = 0;          ///< chance, 0 to 1, that a query ends with a time-out after World::kDnsTimeout
  double garbage = 0;          ///< chance that the records of an answer are random bytes
};

/// What happened so far. Each datagram and TCP segment sent is counted once more when its fate is
/// known; duplicates that the network makes count as delivered (or `unreachable`) but not as sent.
struct Stats {
  std::uint64_t sent = 0, sent_bytes = 0;  ///< UDP and TCP payload
  std::uint64_t delivered = 0, delivered_bytes = 0;
  std::uint64_t lost = 0;         ///< by chance
  std::uint64_t cut = 0;          ///< by a partition
  std::uint64_t overflowed = 0;   ///< the link's queue was full
  std::uint64_t oversized = 0;    ///< over the link's MTU
  std::uint64_t unreachable = 0;  ///< no such address, or no socket there
  std::uint64_t filtered = 0;     ///< on_datagram() said no
  std::uint64_t duplicated = 0;
  std::uint64_t dns_queries = 0;
  std::uint64_t events = 0;  ///< steps of the world
  std::uint64_t turns = 0;   ///< turns of nodes
};

/// A network, everything in it, and its time.
class World final {
 public:
  /// Virtual time begins here, and unix_time() at the second below.
  static constexpr Instant kBegin{1'000'000'000};
  static constexpr std::int64_t kUnixTimeBegin = 1'750'000'000;

  static constexpr Duration kDnsTimeout = seconds(6);

  /// `scenario` is only repeated in failure(), so that the line replays the run.
  explicit World(std::uint64_t seed, std::string scenario = {});
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  std::uint64_t seed() const;
  Instant now() const;
  /// Wall clock seconds, moving with virtual time.
  std::int64_t unix_time() const;

  // --- hosts
  /// A host with an IPv4 and an IPv6 address of its own.
  HostId add_host();
  /// A host with these IP addresses, as text; two that share their first 16 bits (of IPv6 64) are in one
  /// subnet. kInvalidArgument: not an address, or taken.
  Result<HostId> add_host(const std::vector<std::string>& addresses);
  std::vector<std::string> addresses(HostId host) const;
  /// The host moved: it has this address instead of the one of the same family. Sockets bound to
  /// all addresses go on from the new one; nobody is told. TCP connections reach nobody any more.
  /// kInvalidArgument as above.
  Result<void> change_address(HostId host, const std::string& address);
  /// The nodes of this host are told that its addresses changed, as a driver that watches them tells.
  void tell_interfaces(HostId host);
  /// The NAT before the host forgot its mappings: what the host sends comes from other ports (and
  /// from `address` when given) and what is sent to the old ones is unreachable. The host notices
  /// nothing, but its TCP connections are cut off: only new ones pass.
  Result<void> rebind(HostId host, const std::string& address = {});

  // --- links; every pair of hosts has one, both directions alike unless set one way
  void set_default_link(const LinkOptions& options);
  void set_link(HostId a, HostId b, const LinkOptions& options);
  void set_link_one_way(HostId from, HostId to, const LinkOptions& options);
  /// Nothing sent from now on passes between the two, until heal(). What is on its way arrives.
  void partition(HostId a, HostId b);
  void heal(HostId a, HostId b);

  // --- names
  /// What the name stands for from now on: IP addresses, or texts; none takes it away. kInvalidArgument: a
  /// value that is no such address. A /dnsaddr/<host> is the texts "dnsaddr=<multiaddr>" at _dnsaddr.<host>.
  Result<void> set_dns(const std::string& name, DnsRecord type, const std::vector<std::string>& values);
  void set_dns_options(const DnsOptions& options);

  // --- nodes
  /// Starts a node. Without options.key it gets one that follows from the seed. REQUIRES options
  /// that Node::open takes.
  NodeId add_node(NodeOptions options, HostId host = kNoHost);  ///< kNoHost: on a host of its own
  std::size_t nodes_count() const;
  /// The public face. Its poll() and poll_until() run the whole world, so that code written for
  /// the real network runs here. The reference is valid until kill(). In another node's callback
  /// take it from here, not from before, so that the world knows of what you ask; or use post().
  Node& node(NodeId node);
  bool alive(NodeId node) const;
  HostId host(NodeId node) const;
  /// The first address of a node that others can dial, with its PeerId. Runs the world until the
  /// node's sockets are bound when they are not yet, which takes no time; not from inside a turn.
  /// REQUIRES that it was told to listen.
  Multiaddr address(NodeId node);
  /// The node's process dies: no goodbye, its memory is gone. In one of its own turns: right after.
  /// A host without a node that lives is off: TCP hears nothing from it.
  void kill(NodeId node);
  /// Starts it anew with the key it had (options.key is ignored). REQUIRES !alive(node).
  void restart(NodeId node, NodeOptions options);
  /// What nodes of this host appended to a file (qlog); empty when there is none.
  ByteView file(HostId host, const std::string& path) const;
  /// Puts a file there, in the place of one that exists.
  void write_file(HostId host, const std::string& path, ByteView bytes);

  // --- running
  /// Runs until the predicate holds (asked before the first step and after each) or `limit` of
  /// virtual time has passed. False: it never held, or the world failed.
  bool run_until(std::move_only_function<bool()> done, Duration limit);
  void run_for(Duration duration);
  /// Runs fn at that time, between turns: how a scenario is scripted.
  void after(Duration delay, std::move_only_function<void()> fn);

  // --- looking on, and adversaries
  /// Sees each datagram (no TCP) when it is sent, before its link; false drops it.
  void on_datagram(std::move_only_function<bool(const Datagram&)> filter);
  /// Sends a datagram from any port of a host, whether a node has it or not. kNoHost: to all hosts of its subnet.
  void inject(HostId from, std::uint16_t from_port, HostId to, std::uint16_t to_port,
              ByteView bytes);
  /// Connects by TCP from a host, whether a node lives there or not, to the first address of another: what
  /// follows is said and heard byte by byte.
  RawTcpId open_tcp(HostId from, HostId to, std::uint16_t to_port);
  /// Queued until it is connected; dropped when it is over.
  void write_tcp(RawTcpId connection, ByteView bytes);
  /// What arrived since the last time.
  Bytes take_tcp(RawTcpId connection);
  /// False: it was refused, reset, or ended by the other end.
  bool tcp_alive(RawTcpId connection) const;
  /// Sees each event of each node.
  void on_node_event(std::move_only_function<void(NodeId, const NodeEvent&)> tap);
  /// Called after every turn of a node: the place for invariants. Say fail() when one is broken.
  void on_turn(std::move_only_function<void(NodeId)> hook);
  /// Looks at every node for what must hold between steps: no deadline in the past.
  void check();
  /// Ends the run: every run_*() returns. The first failure is kept.
  void fail(const std::string& why);
  /// Empty, or one line with the seed, the scenario, the time and the reason. The world itself
  /// fails a node that spins (turns or deadlines without end in one instant).
  const std::string& failure() const;

  const Stats& stats() const;
  /// Over every datagram and TCP segment delivered (time, addresses, size), every node event and
  /// every note, in order. Two runs of one seed are equal or something is not deterministic.
  std::uint64_t trace_hash() const;
  /// What an agent saw (an answer, an error) goes into the trace, with the time.
  void note(const std::string& line);
  /// The same as text, a line for each: to see what happened, or where two runs part.
  void on_trace(std::move_only_function<void(const std::string& line)> tap);

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace p2pa::sim
