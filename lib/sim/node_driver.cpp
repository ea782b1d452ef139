#include "sim/node_driver.hpp"

#include <utility>

#include "sim/impl.hpp"

namespace p2pa::sim {

Result<int> NodeDriver::poll(Duration timeout, int budget) {
  return world_.poll(node_, timeout, budget);
}

Instant NodeDriver::next_deadline() const {
  const Slot& slot = world_.slots[node_];
  return slot.node ? slot.node->core().next_deadline() : kNever;
}

Instant NodeDriver::now() const {
  return world_.now;
}

Result<void> NodeDriver::start_thread() {
  return fail(Code::kUnsupported, "the world has no threads");
}

Result<void> NodeDriver::post(std::move_only_function<void(Node&)> fn) {
  if (world_.slots[node_].node->closed()) return fail(Code::kClosed, "the node is closed");
  world_.call_node(node_, std::move(fn));
  return {};
}

}  // namespace p2pa::sim
