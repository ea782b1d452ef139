#pragma once
// What scenarios share: running each seed twice, and small agents.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "p2pagents/node.hpp"
#include "p2pagents/sim.hpp"

namespace p2pa::sim {

/// Runs the scenario twice for each seed 1 to `seeds` and requires that the world did not fail and
/// that both runs have one trace. What fails names the seed; with it in P2PA_SIM_SEED only that
/// seed runs, and with P2PA_SIM_TRACE every datagram and event is printed.
void for_seeds(int seeds, const std::string& scenario, const std::function<void(World&)>& run);

/// Listens on UDP port 4001 of every IPv4 address.
NodeOptions listening(const std::string& address = "/ip4/0.0.0.0/udp/4001/quic-v1");

/// The listener, once it listens, and a dialer that knows where it is; `echo` is served.
struct Pair {
  NodeId server, client;
  PeerId server_id;
};
Pair make_pair(World& world, NodeOptions server = listening(), NodeOptions client = {});
/// Lets `from` know where `to` listens.
void introduce(World& world, NodeId from, NodeId to);
void serve_echo(Node& node);

/// The end of a call, once it came.
struct Answer {
  int ends = 0;  ///< how often it came: 1 in the end
  CallOutcome outcome;
  Bytes bytes;
  Instant at{};
  bool ok() const { return ends == 1 && outcome.ok(); }
};
std::shared_ptr<Answer> call(World& world, NodeId from, const PeerId& to, std::string_view method,
                             ByteView request, CallOptions options = {});
/// call(), and runs the world until it ended.
Answer call_and_wait(World& world, NodeId from, const PeerId& to, std::string_view method,
                     ByteView request, CallOptions options = {});
/// Runs the world until the node has a connection to the peer.
bool connect(World& world, NodeId from, const PeerId& to);

/// Bytes that tell where they belong.
Bytes pattern(std::size_t size, std::uint32_t salt);

/// Everything that a node reported, with the time of it.
class Watch {
 public:
  Watch(World& world, NodeId node);
  int count(NodeEvent::Kind kind) const;
  /// The last event of the kind; null when there was none.
  const NodeEvent* last(NodeEvent::Kind kind) const;
  Instant last_at(NodeEvent::Kind kind) const;

 private:
  struct Entry {
    Instant at;
    NodeEvent event;
  };
  std::shared_ptr<std::vector<Entry>> entries_ = std::make_shared<std::vector<Entry>>();
};

}  // namespace p2pa::sim
