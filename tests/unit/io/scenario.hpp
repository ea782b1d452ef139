#pragma once
// Two agents that meet, talk and part, driven by their callbacks alone: whoever runs the two nodes,
// and however, must see the same.

#include <atomic>
#include <string>
#include <vector>

#include "p2pagents/node.hpp"

namespace p2pa::io {

/// What one agent saw, one line each: its node's events, and how its requests ended. In two lists,
/// since the order between the two is the network's.
struct Log {
  std::vector<std::string> events, outcomes;
  friend bool operator==(const Log&, const Log&) = default;
};

/// Options of an agent with an identity that is the same in every run.
NodeOptions agent_options(std::uint8_t seed);
/// The same, listening.
NodeOptions agent_options(std::uint8_t seed, const char* listen);

class Scenario {
 public:
  Log server, client;
  /// Both nodes have said kClosed. Any thread.
  bool over() const { return closed_ == 2; }

  /// REQUIRES each before its node runs; the client goes to work with its first turn.
  void set_up_server(Node& node);
  void set_up_client(Node& node, const PeerId& server, const Multiaddr& address);

 private:
  void talk(Node& node);
  void note(Log& log, const NodeEvent& event);

  PeerId peer_;
  std::atomic<int> closed_ = 0;
};

}  // namespace p2pa::io
