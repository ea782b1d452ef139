#pragma once
// Hands tasks to agents and gathers what they answer. An agent that answers faster gets more; what a
// lost agent had in hand goes to another.

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "p2pagents/node.hpp"
#include "wordcount.hpp"

namespace wordcount {

/// Tasks that one agent has in hand at most: one that it works on, one that waits at its door.
inline constexpr int kTasksInHand = 2;
/// A task travels as one message.
inline constexpr std::size_t kTaskBytesMax = p2pa::Limits{}.message_bytes_max;

class Coordinator {
 public:
  struct Agent {
    p2pa::PeerId peer;
    std::size_t tasks_done = 0;
    std::size_t tasks_lost = 0;  ///< handed out and never answered
    std::uint64_t bytes = 0;     ///< of text counted
    int in_hand = 0;
    p2pa::Duration rtt{};
    bool alive = false;
    std::string ended;  ///< why it is not alive
  };

  /// REQUIRES that node and the tasks' text outlive the coordinator.
  Coordinator(p2pa::Node& node, std::vector<std::string_view> tasks);

  /// Asks the directory, connects to everyone it names, and starts.
  void start(const p2pa::Multiaddr& directory);
  /// To be told of the node's events.
  void on_event(const p2pa::NodeEvent& event);
  /// Called after each task that was answered.
  void on_progress(std::move_only_function<void()> handler) { progress_ = std::move(handler); }
  /// Called when an agent has been given a task, of which nothing has left this process yet.
  void on_given(std::move_only_function<void(const Agent&)> handler) { given_ = std::move(handler); }

  std::size_t tasks_total() const { return tasks_.size(); }
  std::size_t tasks_done() const { return done_; }
  bool finished() const { return done_ == tasks_.size(); }
  /// Nobody can do what is left to do: all agents were lost, or failure().
  bool stuck() const { return !failure_.empty() || (started_ && !finished() && alive() == 0); }
  /// Why the work cannot be done by anybody; empty when it can.
  const std::string& failure() const { return failure_; }
  std::size_t alive() const;
  const std::map<p2pa::PeerId, Agent>& agents() const { return agents_; }
  const Counts& counts() const { return counts_; }

 private:
  void add_agent(const p2pa::Multiaddr& address);
  void lose(Agent& agent, std::string why);
  void hand_out();
  void give(Agent& agent, std::size_t task);
  void answered(const p2pa::PeerId& peer, std::size_t task, const p2pa::CallOutcome& outcome,
                p2pa::ByteView answer);

  p2pa::Node& node_;
  std::vector<std::string_view> tasks_;
  std::vector<bool> counted_;
  std::deque<std::size_t> open_;  // tasks in nobody's hand
  std::map<p2pa::PeerId, Agent> agents_;
  Counts counts_;
  std::size_t done_ = 0;
  bool started_ = false;
  std::string failure_;
  std::move_only_function<void()> progress_;
  std::move_only_function<void(const Agent&)> given_;
};

}  // namespace wordcount
