#include "demo_swarm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "agent.hpp"
#include "directory.hpp"

namespace p2pa_tool {

using p2pa::Multiaddr;
using p2pa::Node;
using p2pa::NodeEvent;
using wordcount::Coordinator;

std::string short_name(const p2pa::PeerId& peer) {
  const std::string name = peer.to_string();
  return "…" + name.substr(name.size() - std::min<std::size_t>(name.size(), 10));
}

std::string counted(std::size_t n, std::string_view noun) {
  return fmt::format("{} {}{}", grouped(n), noun, n == 1 ? "" : "s");
}

namespace {

/// One line of what happens.
void say(const std::string& line) {
  fmt::print("  {}\n", line);
  std::fflush(stdout);
}

}  // namespace

int DemoSwarm::failed(std::string_view text) const {
  if (stop_requested()) return report_interrupted();
  print_error(text);
  return kFailed;
}

bool DemoSwarm::run_until(std::move_only_function<bool()> done, p2pa::Duration timeout) {
  return node_->poll_until([&] { return stop_requested() || done(); }, timeout) && !stop_requested();
}

int DemoSwarm::start_processes() {
  processes_.push_back(Process::start({"demo", "--role", "directory"}));
  const auto address = Multiaddr::parse(processes_[0].read_line());
  if (!address) return failed("the directory did not start");
  directory_ = *address;
  for (int i = 0; i < options_.agents; ++i) {
    const char* role = i < options_.liars ? "liar" : "agent";
    processes_.push_back(Process::start({"demo", "--role", role, "--directory", directory_.to_string()}));
  }
  Progress progress("starting");
  for (std::size_t i = 1; i < processes_.size(); ++i) {
    const auto id = p2pa::PeerId::parse(processes_[i].read_line());
    if (!id) return failed("an agent did not start");
    process_of_[*id] = i;
    progress.update(static_cast<double>(i) / options_.agents, counted(i, "agent"));
  }
  progress.clear();
  say(fmt::format("started   {}; each is a process of its own and knows one address:",
                  counted(process_of_.size(), "agent")));
  say("          " + directory_.to_string());
  return kOk;
}

int DemoSwarm::start_node() {
  p2pa::NodeOptions options;
  // Agents that die say nothing; on this quick network a short silence is enough to know.
  options.idle_timeout = p2pa::seconds(3);
  options.keep_alive = p2pa::seconds(1);
  auto opened = Node::open(std::move(options));
  if (!opened) return report("cannot start a node", opened.error());
  node_ = *std::move(opened);
  coordinator_ = std::make_unique<Coordinator>(*node_, tasks_);
  node_->on_event([this](const NodeEvent& event) { coordinator_->on_event(event); });
  return kOk;
}

/// Every agent has offered itself. The demo alone needs this, to have all of them in the table.
int DemoSwarm::wait_for_agents() {
  Progress progress("waiting for the agents");
  std::size_t offered = 0;
  const auto wanted = process_of_.size();
  const auto deadline = node_->now() + p2pa::seconds(60);
  while (offered < wanted && node_->now() < deadline && !stop_requested()) {
    bool answered = false;
    wordcount::find(*node_, directory_, wordcount::kSkill, [&](std::vector<Multiaddr> found) {
      offered = found.size();
      answered = true;
    });
    run_until([&] { return answered; }, p2pa::hours(1));  // a call of find ends by its deadline
    if (offered < wanted) run_until([] { return false; }, p2pa::milliseconds(20));
    progress.update();
  }
  progress.clear();
  if (offered < wanted || stop_requested()) return failed("not all agents offered themselves");
  say(fmt::format("found     {} there that offer \"{}\"", counted(offered, "agent"), wordcount::kSkill));
  return kOk;
}

/// The agent has just been given work: that, and what else it has in hand, is lost with it. Even in
/// the smallest corpus, since not a byte of the new task has left this process.
void DemoSwarm::maybe_kill(const Coordinator::Agent& agent) {
  const auto wanted = static_cast<std::size_t>(options_.kill);
  // Spread over the time in which there are tasks to give.
  const std::size_t in_hands = process_of_.size() * wordcount::kTasksInHand;
  const std::size_t to_give = tasks_.size() - std::min(tasks_.size(), in_hands);
  if (lost_ == wanted || coordinator_->tasks_done() < to_give * (lost_ + 1) / (wanted + 1)) return;
  const auto process = process_of_.find(agent.peer);
  if (process == process_of_.end() || !processes_[process->second].running()) return;
  processes_[process->second].kill_now();
  ++lost_;
  progress_->clear();
  say(fmt::format("{}   agent {}, with {} in hand, when {} of {} were done", paint(Color::kRed, "SIGKILL"),
                  short_name(agent.peer), counted(static_cast<std::size_t>(agent.in_hand), "task"),
                  grouped(coordinator_->tasks_done()), grouped(tasks_.size())));
}

void DemoSwarm::show_progress() {
  progress_->update(static_cast<double>(coordinator_->tasks_done()) / static_cast<double>(tasks_.size()),
                    fmt::format("{} of {} tasks, {} of {} agents", grouped(coordinator_->tasks_done()),
                                grouped(tasks_.size()), coordinator_->alive(), process_of_.size()));
}

int DemoSwarm::work() {
  say(fmt::format("handing   {} out, to each agent as fast as it answers", counted(tasks_.size(), "task")));
  progress_ = std::make_unique<Progress>("counting");
  coordinator_->on_given([this](const Coordinator::Agent& agent) { maybe_kill(agent); });
  const auto begin = node_->now();
  coordinator_->start(directory_);
  // It cannot hang: every task ends by its deadline at the latest, and costs an agent that misses it.
  run_until([&] {
    show_progress();
    return coordinator_->finished() || coordinator_->stuck();
  }, p2pa::hours(24));
  progress_->clear();
  if (!coordinator_->finished()) {
    const std::string& why = coordinator_->failure();
    return failed("the work was not finished: " + (why.empty() ? "all agents were lost" : why));
  }
  say(fmt::format("done      in {:.1f} s; what the lost ones had in hand was done by others",
                  (node_->now() - begin).seconds()));
  return kOk;
}

int DemoSwarm::run() {
  for (const auto step : {&DemoSwarm::start_processes, &DemoSwarm::start_node, &DemoSwarm::wait_for_agents,
                          &DemoSwarm::work}) {
    if (const int code = (this->*step)(); code != kOk) return code;
  }
  return kOk;
}

bool DemoSwarm::killed(const p2pa::PeerId& peer) const {
  const auto process = process_of_.find(peer);
  return process != process_of_.end() && processes_[process->second].killed();
}

p2pa::Duration DemoSwarm::rtt(const Coordinator::Agent& agent) const {
  for (const auto& connection : node_->connections()) {
    if (connection.peer == agent.peer) return connection.rtt;
  }
  return agent.rtt;
}

}  // namespace p2pa_tool
