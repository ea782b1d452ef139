// The main job: agents that know one address find each other, share out real work, lose two of
// theirs to SIGKILL, and finish. The agents and the coordinator are examples/wordcount; here is only
// what plays the world: processes, a corpus, a table.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "agent.hpp"
#include "commands.hpp"
#include "coordinator.hpp"
#include "corpus.hpp"
#include "directory.hpp"
#include "output.hpp"
#include "process.hpp"

namespace p2pa_tool {
namespace {

using p2pa::Multiaddr;
using p2pa::Node;
using p2pa::NodeEvent;
using wordcount::Coordinator;

constexpr const char* kLoopback = "/ip4/127.0.0.1/udp/0/quic-v1";
constexpr std::size_t kTaskBytes = 64 * 1024;
constexpr std::size_t kTaskBytesMin = 4 * 1024;

/// The process that everybody knows: keeps the directory.
int run_directory() {
  p2pa::NodeOptions options;
  options.listen = {Multiaddr::parse(kLoopback).value()};
  auto node = Node::open(std::move(options));
  if (!node) return report("no node", node.error());
  wordcount::Directory directory(**node);
  (*node)->on_event([&](const NodeEvent& event) {
    directory.on_event(event);
    if (event.kind != NodeEvent::Kind::kListening) return;
    fmt::print("{}\n", event.address.with_peer_id((*node)->id()).to_string());
    std::fflush(stdout);
  });
  while (!stop_requested() && (*node)->poll(p2pa::milliseconds(200))) {
  }
  return kOk;
}

std::vector<std::string> corpus_folders(const DemoOptions& options) {
  if (!options.folder.empty()) return {options.folder};
  return {"/usr/share/common-licenses", "/usr/share/doc"};
}

/// Many more tasks than agents, so that faster agents can do more of them.
std::size_t task_size(std::size_t text_size, int agents) {
  const std::size_t wanted = text_size / (static_cast<std::size_t>(agents) * 16 + 1);
  return std::clamp(wanted, kTaskBytesMin, kTaskBytes);
}

class Demo {
 public:
  Demo(const DemoOptions& options, const Corpus& corpus)
      : options_(options),
        tasks_(wordcount::split(corpus.text, task_size(corpus.text.size(), options.agents))) {}

  /// Exit code of the distributed part.
  int run();
  void print_table() const;
  const wordcount::Counts& counts() const { return coordinator_->counts(); }
  std::size_t tasks_count() const { return tasks_.size(); }

 private:
  bool start_processes();
  bool wait_for_agents();
  void lose_one_at(double fraction);
  bool run_until(std::move_only_function<bool()> done, p2pa::Duration timeout);

  const DemoOptions& options_;
  std::vector<std::string_view> tasks_;
  std::vector<Process> processes_;  // the directory first
  std::map<p2pa::PeerId, std::size_t> process_of_;
  Multiaddr directory_;
  std::unique_ptr<Node> node_;
  std::unique_ptr<Coordinator> coordinator_;
  int lost_ = 0;
};

bool Demo::start_processes() {
  processes_.push_back(Process::start({"demo", "--role", "directory"}));
  const auto address = Multiaddr::parse(processes_[0].read_line());
  if (!address) return print_error("the directory did not start"), false;
  directory_ = *address;
  for (int i = 0; i < options_.agents; ++i) {
    processes_.push_back(
        Process::start({"demo", "--role", "agent", "--directory", directory_.to_string()}));
    if (!processes_.back().running()) return print_error("an agent did not start"), false;
  }
  return true;
}

bool Demo::run_until(std::move_only_function<bool()> done, p2pa::Duration timeout) {
  return node_->poll_until([&] { return stop_requested() || done(); }, timeout) && !stop_requested();
}

/// Every agent has offered itself. The demo alone needs this, to have all twelve in the table.
bool Demo::wait_for_agents() {
  std::size_t offered = 0;
  const auto wanted = static_cast<std::size_t>(options_.agents);
  const auto deadline = node_->now() + p2pa::seconds(30);
  while (offered < wanted && node_->now() < deadline && !stop_requested()) {
    bool answered = false;
    wordcount::find(*node_, directory_, wordcount::kSkill, [&](std::vector<Multiaddr> found) {
      offered = found.size();
      answered = true;
    });
    if (!run_until([&] { return answered; }, p2pa::seconds(10))) return false;
    if (offered < wanted) run_until([] { return false; }, p2pa::milliseconds(20));
  }
  return offered >= wanted;
}

/// SIGKILLs an agent that has work in hand, once a part of the work is done.
void Demo::lose_one_at(double fraction) {
  if (lost_ >= options_.kill) return;
  const double due = static_cast<double>(lost_ + 1) / (options_.kill + 1);
  if (fraction < due) return;
  for (const auto& [peer, agent] : coordinator_->agents()) {
    if (!agent.alive || agent.in_hand == 0) continue;
    const auto process = process_of_.find(peer);
    if (process == process_of_.end()) continue;
    processes_[process->second].kill_now();
    ++lost_;
    return;
  }
}

int Demo::run() {
  if (!start_processes()) return kFailed;
  p2pa::NodeOptions node_options;
  // Agents that die say nothing; on this quick network a short silence is enough to know.
  node_options.idle_timeout = p2pa::seconds(3);
  node_options.keep_alive = p2pa::seconds(1);
  auto opened = Node::open(std::move(node_options));
  if (!opened) return report("no node", opened.error());
  node_ = *std::move(opened);
  coordinator_ = std::make_unique<Coordinator>(*node_, tasks_);
  node_->on_event([this](const NodeEvent& event) { coordinator_->on_event(event); });
  for (std::size_t i = 1; i < processes_.size(); ++i) {
    const auto id = p2pa::PeerId::parse(processes_[i].read_line());
    if (!id) return print_error("an agent did not start"), kFailed;
    process_of_[*id] = i;
  }
  if (!wait_for_agents()) return print_error("not all agents offered themselves"), kFailed;

  Progress progress("counting");
  coordinator_->on_progress([&] {
    const double fraction = static_cast<double>(coordinator_->tasks_done()) /
                            static_cast<double>(coordinator_->tasks_total());
    progress.update(fraction, fmt::format("{} of {} tasks, {} agents alive", coordinator_->tasks_done(),
                                          coordinator_->tasks_total(), coordinator_->alive()));
    lose_one_at(fraction);
  });
  coordinator_->start(directory_);
  run_until([&] { return coordinator_->finished() || coordinator_->stuck(); }, p2pa::seconds(300));
  if (!coordinator_->finished()) return print_error("the work was not finished"), kFailed;
  // See the lost ones declared lost, so that the table tells the truth about them.
  run_until([&] {
    return coordinator_->alive() + static_cast<std::size_t>(lost_) <= coordinator_->agents().size();
  }, p2pa::seconds(10));
  if (lost_ < options_.kill) return print_error("the work was too small to lose agents on the way"), kFailed;
  return kOk;
}

void Demo::print_table() const {
  fmt::print("\n{:<14} {:>7} {:>12} {:>6} {:>10}  {}\n", "agent", "tasks", "text", "lost", "RTT", "state");
  std::map<p2pa::PeerId, p2pa::Duration> rtt;
  for (const auto& connection : node_->connections()) rtt[connection.peer] = connection.rtt;
  for (const auto& [peer, agent] : coordinator_->agents()) {
    const auto process = process_of_.find(peer);
    const auto measured = rtt.contains(peer) ? rtt.at(peer) : agent.rtt;
    const bool killed = process != process_of_.end() && processes_[process->second].killed();
    const std::string name = peer.to_string();
    fmt::print("{:<14} {:>7} {:>12} {:>6} {:>7.2f} ms  {}\n", "…" + name.substr(name.size() - 10),
               agent.tasks_done, human_bytes(static_cast<double>(agent.bytes)), agent.tasks_lost,
               measured.seconds() * 1e3,
               agent.alive ? "alive" : (killed ? "SIGKILLed: " : "lost: ") + agent.ended);
  }
}

void print_counts(const wordcount::Counts& counts) {
  fmt::print("\n{} words, {} distinct, digest {}\n", wordcount::total(counts), counts.size(),
             wordcount::digest(counts));
  for (const auto& [word, count] : wordcount::top(counts, 20)) fmt::print("  {:>9}  {}\n", count, word);
}

}  // namespace

int run_demo(const DemoOptions& options) {
  stop_on_signals();
  if (options.role == "directory") return run_directory();
  if (options.role == "agent") {
    const auto directory = Multiaddr::parse(options.directory);
    if (!directory) return report(options.directory, directory.error());
    return wordcount::run_agent(*directory, Multiaddr::parse(kLoopback).value(), stop_requested);
  }
  if (options.kill >= options.agents) {
    print_error("one agent at least must survive");
    return kUsage;
  }
  const Corpus corpus = read_corpus(corpus_folders(options));
  if (corpus.text.empty()) {
    print_error("no text file in " + corpus_folders(options).front());
    return kFailed;
  }
  Demo demo(options, corpus);
  fmt::print("{} agents count the words of {} files ({}) in {} tasks; {} of them will be killed\n",
             options.agents, corpus.files, human_bytes(static_cast<double>(corpus.text.size())),
             demo.tasks_count(), options.kill);
  std::fflush(stdout);
  if (const int code = demo.run(); code != kOk) return code;
  demo.print_table();
  print_counts(demo.counts());

  const wordcount::Counts alone = wordcount::count_words(corpus.text);
  const bool equal = alone == demo.counts();
  fmt::print("\none process alone counts {} words, {} distinct, digest {}: {}\n",
             wordcount::total(alone), alone.size(), wordcount::digest(alone),
             equal ? "equal" : "DIFFERENT");
  return equal ? kOk : kFailed;
}

}  // namespace p2pa_tool
