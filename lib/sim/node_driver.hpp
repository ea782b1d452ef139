#pragma once
#include "node/driver.hpp"
#include "p2pagents/sim.hpp"

namespace p2pa::sim {

/// What a node in the world has for a driver: its poll() runs the whole world.
class NodeDriver final : public Driver {
 public:
  NodeDriver(World::Impl& world, NodeId node) : world_(world), node_(node) {}

  /// Runs the world until this node did something, at most for `timeout` of virtual time.
  /// kInvalidState: from inside a node's turn.
  Result<int> poll(Duration timeout, int budget) override;
  int wakeup_fd() const override { return -1; }
  Instant next_deadline() const override;
  Instant now() const override;
  /// kUnsupported: a world has no threads.
  Result<void> start_thread() override;
  void stop_thread() override {}
  /// Unlike a real driver's: from the world's thread only.
  Result<void> post(std::move_only_function<void(Node&)> fn) override;
  void attach(Node&) override {}

 private:
  World::Impl& world_;
  NodeId node_;
};

}  // namespace p2pa::sim
