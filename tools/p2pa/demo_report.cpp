#include "demo_report.hpp"

#include <fmt/format.h>

namespace p2pa_tool {
namespace {

using wordcount::Coordinator;
using wordcount::Counts;

constexpr std::size_t kTopWords = 20;
constexpr std::size_t kTopColumns = 4;
constexpr std::size_t kShownLettersMax = 10;  // of a word, in its column

/// As much of a word as fits; a word is whatever bytes a file has.
std::string shown(const std::string& word) {
  std::size_t letters = 0;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if ((static_cast<unsigned char>(word[i]) & 0xc0) == 0x80) continue;  // within a UTF-8 character
    if (++letters > kShownLettersMax) return word.substr(0, i) + "…";
  }
  return word;
}

std::string state_of(const DemoSwarm& swarm, const Coordinator::Agent& agent) {
  if (agent.alive) return "alive";
  const std::string lost = agent.tasks_lost > 0 ? fmt::format(", {} given to others",
                                                              counted(agent.tasks_lost, "task")) : "";
  return swarm.killed(agent.peer) ? paint(Color::kRed, "SIGKILLed") + lost
                                  : paint(Color::kRed, "lost") + lost + ": " + agent.ended;
}

/// Column by column, as in a dictionary.
void print_top(const Counts& counts) {
  const auto words = wordcount::top(counts, kTopWords);
  const std::size_t rows = (words.size() + kTopColumns - 1) / kTopColumns;
  fmt::print("\nthe {} most frequent words\n", words.size());
  for (std::size_t row = 0; row < rows; ++row) {
    std::string line;
    for (std::size_t i = row; i < words.size(); i += rows) {
      line += fmt::format("{:>10} {:<10}", grouped(words[i].second), shown(words[i].first));
    }
    fmt::print("{}\n", line.substr(0, line.find_last_not_of(' ') + 1));
  }
}

}  // namespace

void print_agents(const DemoSwarm& swarm) {
  std::size_t tasks = 0, alive = 0;
  std::uint64_t bytes = 0;
  fmt::print("\n{:<14} {:>7} {:>12} {:>10}  {}\n", "agent", "tasks", "bytes", "RTT", "state");
  for (const auto& [peer, agent] : swarm.coordinator().agents()) {
    fmt::print("{:<14} {:>7} {:>12} {:>7.2f} ms  {}\n", short_name(peer), grouped(agent.tasks_done),
               human_bytes(static_cast<double>(agent.bytes)), swarm.rtt(agent).seconds() * 1e3,
               state_of(swarm, agent));
    tasks += agent.tasks_done;
    bytes += agent.bytes;
    alive += agent.alive;
  }
  const std::size_t all = swarm.coordinator().agents().size();
  fmt::print("{:<14} {:>7} {:>12} {:>10}  {} alive, {} lost\n", counted(all, "agent"), grouped(tasks),
             human_bytes(static_cast<double>(bytes)), "", alive, all - alive);
}

void print_counts(const Counts& together, const Counts& alone) {
  print_top(together);
  const auto row = [](const char* name, const std::string& left, const std::string& right) {
    fmt::print("{:<16}{:>18}{:>18}\n", name, left, right);
  };
  fmt::print("\n");
  row("", "the agents", "one process");
  row("words", grouped(wordcount::total(together)), grouped(wordcount::total(alone)));
  row("distinct words", grouped(together.size()), grouped(alone.size()));
  row("digest", wordcount::digest(together), wordcount::digest(alone));
  const bool equal = together == alone;
  fmt::print("{}\n", equal ? paint(Color::kGreen, "equal: every word has the same count")
                           : paint(Color::kRed, "DIFFERENT: an agent counted wrong"));
}

}  // namespace p2pa_tool
