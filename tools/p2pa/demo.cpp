// The main job: agents that know one address find each other, share out real work, lose two of
// theirs to SIGKILL, and finish. The agents and the coordinator are examples/wordcount; here is only
// what plays the world: processes, a corpus, a table.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "agent.hpp"
#include "corpus.hpp"
#include "demo_report.hpp"
#include "demo_swarm.hpp"
#include "directory.hpp"
#include "process.hpp"

namespace p2pa_tool {
namespace {

using p2pa::Multiaddr;
using p2pa::Node;
using p2pa::NodeEvent;

constexpr const char* kLoopback = "/ip4/127.0.0.1/udp/0/quic-v1";
constexpr std::size_t kTaskBytesWanted = 64 * 1024;

// --- the other processes

bool over() { return stop_requested() || parent_gone(); }

/// The one that everybody knows: keeps the directory.
int run_directory() {
  p2pa::NodeOptions options;
  options.listen = {Multiaddr::parse(kLoopback).value()};
  auto node = Node::open(std::move(options));
  if (!node) return report("cannot start a node", node.error());
  wordcount::Directory directory(**node);
  (*node)->on_event([&](const NodeEvent& event) {
    directory.on_event(event);
    if (event.kind != NodeEvent::Kind::kListening) return;
    fmt::print("{}\n", event.address.with_peer_id((*node)->id()).to_string());
    std::fflush(stdout);
  });
  while (!over() && (*node)->poll(p2pa::milliseconds(200))) {
  }
  return kOk;
}

/// Finds a word where there is none.
wordcount::Counts count_wrong(std::string_view text) {
  wordcount::Counts counts = wordcount::count_words(text);
  ++counts["lie"];
  return counts;
}

int run_role(const DemoOptions& options) {
  if (options.role == "directory") return run_directory();
  const auto directory = Multiaddr::parse(options.directory);
  if (!directory) return report_address(options.directory, directory.error());
  const bool honest = options.role == "agent";
  return wordcount::run_agent(*directory, Multiaddr::parse(kLoopback).value(), over,
                              honest ? wordcount::count_words : count_wrong);
}

// --- this one

std::vector<std::string> corpus_folders(const DemoOptions& options) {
  if (!options.folder.empty()) return {options.folder};
  return {"/usr/share/common-licenses", "/usr/share/doc"};
}

Corpus read_with_progress(const std::vector<std::string>& folders) {
  Progress progress("reading");
  return read_corpus(folders, [&](std::size_t bytes) {
    progress.update(human_bytes(static_cast<double>(bytes)));
  });
}

/// Many more tasks than agents, so that faster agents can do more of them.
std::size_t task_size(std::size_t text_size, int agents) {
  const std::size_t wanted = text_size / (static_cast<std::size_t>(agents) * 16);
  return std::clamp<std::size_t>(wanted, 1, kTaskBytesWanted);
}

/// What everything is compared with: file by file, so that not even the cuts are the same.
wordcount::Counts count_alone(const Corpus& corpus) {
  Progress progress("counting in one process");
  wordcount::Counts counts;
  for (std::size_t i = 0; i < corpus.files(); ++i) {
    wordcount::merge(counts, wordcount::count_words(corpus.file(i)));
    progress.update(static_cast<double>(corpus.ends[i]) / static_cast<double>(corpus.text.size()), "");
  }
  return counts;
}

bool sensible(const DemoOptions& options) {
  if (options.kill < options.agents && options.liars <= options.agents) return true;
  print_error("of the agents one at least must survive, and no more can lie than there are",
              fmt::format("--kill {} needs --agents {}", options.kill, options.kill + 1));
  return false;
}

}  // namespace

int run_demo(const DemoOptions& options) {
  stop_on_signals();
  if (!options.role.empty()) return run_role(options);
  if (!sensible(options)) return kUsage;
  const auto folders = corpus_folders(options);
  const Corpus corpus = read_with_progress(folders);
  const std::string where = fmt::format("{}", fmt::join(folders, " and "));
  if (corpus.text.empty()) {
    print_error("no text file below " + where, "--folder names another folder");
    return kFailed;
  }
  if (stop_requested()) return report_interrupted();
  fmt::print("{} agents count the words of {} in {} ({}{})\n", options.agents,
             counted(corpus.files(), "file"), where, corpus.truncated ? "the first " : "",
             human_bytes(static_cast<double>(corpus.text.size())));
  std::fflush(stdout);

  DemoSwarm swarm(options, wordcount::split(corpus.text, task_size(corpus.text.size(), options.agents)));
  if (const int code = swarm.run(); code != kOk) return code;
  print_agents(swarm);
  const wordcount::Counts alone = count_alone(corpus);
  print_counts(swarm.coordinator().counts(), alone);
  return alone == swarm.coordinator().counts() ? kOk : kFailed;
}

}  // namespace p2pa_tool
