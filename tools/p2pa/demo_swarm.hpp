#pragma once
// The processes of the demo, and its coordinator among them.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator.hpp"
#include "output.hpp"
#include "p2pagents/node.hpp"
#include "process.hpp"

namespace p2pa_tool {

/// The end of a PeerId, by which people tell agents apart.
std::string short_name(const p2pa::PeerId& peer);
/// "1 task", "2 tasks".
std::string counted(std::size_t n, std::string_view noun);

class DemoSwarm {
 public:
  /// REQUIRES that options and the tasks' text outlive it.
  DemoSwarm(const DemoOptions& options, std::vector<std::string_view> tasks)
      : options_(options), tasks_(std::move(tasks)) {}

  /// Starts everybody, has the work done, loses agents on the way. Exit code; what went wrong was
  /// printed.
  int run();

  // After run():
  const wordcount::Coordinator& coordinator() const { return *coordinator_; }
  bool killed(const p2pa::PeerId& peer) const;
  /// The latest measurement.
  p2pa::Duration rtt(const wordcount::Coordinator::Agent& agent) const;

 private:
  int start_processes();
  int start_node();
  int wait_for_agents();
  int work();
  void maybe_kill(const wordcount::Coordinator::Agent& agent);
  void show_progress();
  bool run_until(std::move_only_function<bool()> done, p2pa::Duration timeout);
  int failed(std::string_view text) const;

  const DemoOptions& options_;
  std::vector<std::string_view> tasks_;
  std::vector<Process> processes_;  // the directory first
  std::map<p2pa::PeerId, std::size_t> process_of_;
  p2pa::Multiaddr directory_;
  std::unique_ptr<p2pa::Node> node_;
  std::unique_ptr<wordcount::Coordinator> coordinator_;
  std::unique_ptr<Progress> progress_;
  std::size_t lost_ = 0;
};

}  // namespace p2pa_tool
