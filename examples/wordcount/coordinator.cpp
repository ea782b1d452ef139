#include "coordinator.hpp"

#include <algorithm>
#include <utility>

#include "agent.hpp"
#include "directory.hpp"

namespace wordcount {
namespace {

constexpr p2pa::Duration kTaskDeadline = p2pa::seconds(10);

}  // namespace

Coordinator::Coordinator(p2pa::Node& node, std::vector<std::string_view> tasks)
    : node_(node), tasks_(std::move(tasks)), counted_(tasks_.size()) {
  for (std::size_t i = 0; i < tasks_.size(); ++i) open_.push_back(i);
}

void Coordinator::start(const p2pa::Multiaddr& directory) {
  // No agent could be sent it, and each would be lost for what is our fault.
  if (std::ranges::any_of(tasks_, [](auto task) { return task.size() > kTaskBytesMax; })) {
    failure_ = "a task is larger than a message may be";
    return;
  }
  find(node_, directory, kSkill, [this](std::vector<p2pa::Multiaddr> found) {
    started_ = true;
    for (const p2pa::Multiaddr& address : found) add_agent(address);
  });
}

void Coordinator::add_agent(const p2pa::Multiaddr& address) {
  const auto peer = address.peer_id();
  if (!peer || !node_.add_address(*peer, address)) return;
  const auto [it, fresh] = agents_.try_emplace(*peer);
  if (!fresh) return;  // a second address of the same agent
  it->second.peer = *peer;
  it->second.alive = true;
  // By its name alone: which address answers is the library's business.
  node_.dial(*peer, [this, peer = *peer](auto connection) {
    Agent& agent = agents_.at(peer);
    if (!connection) return lose(agent, p2pa::describe(connection.error()));
    agent.rtt = connection->rtt;
    hand_out();
  });
}

void Coordinator::on_event(const p2pa::NodeEvent& event) {
  if (event.kind != p2pa::NodeEvent::Kind::kDisconnected || !event.last) return;
  const auto agent = agents_.find(event.peer);
  if (agent != agents_.end()) lose(agent->second, p2pa::describe(event.error));
}

void Coordinator::lose(Agent& agent, std::string why) {
  if (!agent.alive) return;
  agent.alive = false;
  agent.ended = std::move(why);
  hand_out();
}

std::size_t Coordinator::alive() const {
  std::size_t n = 0;
  for (const auto& [peer, agent] : agents_) n += agent.alive;
  return n;
}

void Coordinator::hand_out() {
  // One each in turn, so that nobody gets a second task before everybody has a first.
  for (int in_hand = 0; in_hand < kTasksInHand; ++in_hand) {
    for (auto& [peer, agent] : agents_) {
      if (open_.empty()) return;
      if (!agent.alive || agent.in_hand > in_hand) continue;
      const std::size_t task = open_.front();
      open_.pop_front();
      give(agent, task);
    }
  }
}

void Coordinator::give(Agent& agent, std::size_t task) {
  ++agent.in_hand;
  p2pa::CallOptions options;
  options.deadline = kTaskDeadline;
  node_.call(agent.peer, kSkill, p2pa::as_bytes(tasks_[task]), options,
             [this, peer = agent.peer, task](const p2pa::CallOutcome& outcome, p2pa::ByteView answer) {
               answered(peer, task, outcome, answer);
             });
  if (given_) given_(agent);
}

void Coordinator::answered(const p2pa::PeerId& peer, std::size_t task,
                           const p2pa::CallOutcome& outcome, p2pa::ByteView answer) {
  Agent& agent = agents_.at(peer);
  --agent.in_hand;
  Counts counts;
  if (outcome.ok() && decode(p2pa::as_text(answer), counts)) {
    ++agent.tasks_done;
    agent.bytes += tasks_[task].size();
    if (!counted_[task]) {
      counted_[task] = true;
      ++done_;
      merge(counts_, counts);
      if (progress_) progress_();
    }
    return hand_out();
  }
  ++agent.tasks_lost;
  open_.push_front(task);
  // One that does not answer, or answers nonsense, gets nothing more.
  lose(agent, outcome.ok() ? "malformed answer" : p2pa::describe(outcome.error));
  hand_out();
}

}  // namespace wordcount
