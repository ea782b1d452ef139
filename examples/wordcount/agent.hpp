#pragma once
// An agent that counts words for whoever asks, and says so in a directory.

#include "p2pagents/node.hpp"

namespace wordcount {

inline constexpr const char* kSkill = "wordcount";

/// Serves `wordcount` (text in, encode(Counts) out).
p2pa::Result<void> serve_wordcount(p2pa::Node& node);

/// A whole agent process: listens, prints its PeerId on standard output, offers itself at the
/// directory, and works until `stop` says so. Returns an exit code.
int run_agent(const p2pa::Multiaddr& directory, const p2pa::Multiaddr& listen,
              std::move_only_function<bool()> stop);

}  // namespace wordcount
