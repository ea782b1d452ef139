#pragma once
// An agent that counts words for whoever asks, and says so in a directory.

#include <functional>
#include <string_view>

#include "p2pagents/node.hpp"
#include "wordcount.hpp"

namespace wordcount {

inline constexpr const char* kSkill = "wordcount";

/// How an agent does its work.
using Work = std::function<Counts(std::string_view text)>;

/// Serves `wordcount` (text in, encode(Counts) out).
p2pa::Result<void> serve_wordcount(p2pa::Node& node, Work work);

/// A whole agent process: listens, prints its PeerId on standard output, offers itself at the
/// directory, and works until `stop` says so. Returns an exit code.
int run_agent(const p2pa::Multiaddr& directory, const p2pa::Multiaddr& listen,
              std::move_only_function<bool()> stop, Work work = count_words);

}  // namespace wordcount
