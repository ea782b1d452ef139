#pragma once
// What the demo prints at its end.

#include "demo_swarm.hpp"
#include "wordcount.hpp"

namespace p2pa_tool {

/// One line an agent: its tasks, bytes, round trip and state.
void print_agents(const DemoSwarm& swarm);
/// The aggregate beside the one that a single process made.
void print_counts(const wordcount::Counts& together, const wordcount::Counts& alone);

}  // namespace p2pa_tool
