#pragma once
// Nodes that one thread runs.

#include <functional>
#include <vector>

#include "p2pagents/node.hpp"

namespace bench {

class Loop {
 public:
  void add(p2pa::Node& node) { nodes_.push_back(&node); }
  void remove(p2pa::Node& node) { std::erase(nodes_, &node); }

  /// Runs them until the predicate holds, which is asked after every turn.
  template <class Done>
  void run_until(Done&& done) {
    while (!done()) step();
  }
  /// The same, and the process ends if that takes too long.
  template <class Done>
  void await(Done&& done) {
    const p2pa::Instant deadline = nodes_.front()->now() + kPatience;
    while (!done()) {
      step();
      if (nodes_.front()->now() > deadline) give_up();
    }
  }
  /// Runs them until standard input ends.
  void run_until_stdin_ends();

 private:
  static constexpr p2pa::Duration kPatience = p2pa::seconds(100);
  static constexpr p2pa::Duration kStepMax = p2pa::seconds(1);

  void step();
  void step_many();
  [[noreturn]] static void give_up();

  std::vector<p2pa::Node*> nodes_;
};

}  // namespace bench
