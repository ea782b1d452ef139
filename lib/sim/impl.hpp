#pragma once
// What a world is made of. Only lib/sim includes this.

#include <map>
#include <string>
#include <vector>

#include "crypto/rng.hpp"
#include "node/core.hpp"
#include "p2pagents/sim.hpp"
#include "sim/deadline_heap.hpp"
#include "sim/event_queue.hpp"
#include "sim/name_server.hpp"
#include "sim/network.hpp"
#include "sim/raw_tcp.hpp"
#include "sim/tcp_stack.hpp"
#include "sim/trace.hpp"

namespace p2pa::sim {

/// A place for a node; the node in it may be dead.
struct Slot {
  HostId host = kNoHost;
  Bytes key;  ///< PrivateKey protobuf: the identity survives kill()
  std::unique_ptr<Node> node;
  std::uint32_t life = 0;   ///< what was meant for an earlier one is dropped
  std::uint64_t works = 0;  ///< how often it had something to do
  Instant idle_since{};     ///< deadlines served without input since then, to tell a spin
  std::uint32_t idle_deadlines = 0;
};

struct World::Impl {
  Impl(std::uint64_t world_seed, std::string scenario_name);
  ~Impl();

  // --- nodes
  NodeId add_node(NodeOptions options, HostId host);
  void start(NodeId id, NodeOptions options);
  void kill(NodeId id);

  // --- running
  bool run_until(std::move_only_function<bool()>& done, Duration limit);
  Result<int> poll(NodeId id, Duration timeout, int budget);
  /// Turns every node once: something may have been asked of it since the last run.
  void settle();
  /// The next event or deadline that is not after `limit`. False: there is none, or the world
  /// failed.
  bool step(Instant limit);
  void on_event(const Event& event);
  void on_arrival(std::uint32_t slot);
  void on_segment(std::uint32_t slot);
  void on_socket_events();
  void on_deadline(NodeId id);
  /// Turns a node until it has nothing left to do now, and sends what it wants sent.
  void serve(NodeId id);
  void drain_effects(NodeId id);
  void drain_transmits(NodeId id);
  void drain_writes(NodeId id);
  void run_effect(NodeId id, Effect effect);
  void query_dns(NodeId id, const dns::Query& query);

  // --- later
  void call(Instant at, std::move_only_function<void()> fn);
  /// Runs fn in a turn of the node, if it still lives then.
  void call_node(NodeId id, std::move_only_function<void(Node&)> fn) { call_node(now, id, std::move(fn)); }
  void call_node(Instant at, NodeId id, std::move_only_function<void(Node&)> fn);

  std::string time_text() const;
  void trace_delivery(const Packet& packet);
  void trace_delivery(const TcpPacket& packet);
  void trace_passage(HostId from_host, HostId to_host, const IpEndpoint& from, const IpEndpoint& to,
                     std::size_t size);
  void trace_event(NodeId id, const NodeEvent& event);
  void trace_note(const std::string& line);
  void fail(const std::string& why);

  const std::uint64_t seed;
  const std::string scenario;
  Instant now = kBegin;
  std::uint64_t steps_in_instant = 0;
  std::string failure;
  Stats stats;
  Trace trace;
  EventQueue events;
  DeadlineHeap deadlines;
  Network network;
  TcpStack tcp;
  RawTcp raw_tcp;
  NameServer name_server;
  Rng node_rng;
  std::vector<Slot> slots;
  bool in_turn = false;
  Bytes buffer;  ///< lent to poll_transmit() and poll_write()

  std::vector<std::move_only_function<void()>> calls;
  std::vector<std::uint32_t> calls_free;
  std::map<std::pair<HostId, std::string>, Bytes> files;
  std::move_only_function<void(NodeId, const NodeEvent&)> event_tap;
  std::move_only_function<void(const std::string&)> trace_tap;
  std::move_only_function<void(NodeId)> turn_hook;
};

}  // namespace p2pa::sim
