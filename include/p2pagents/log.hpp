#pragma once
// What a node says of itself while it runs, for people.

#include <cstdint>
#include <functional>
#include <string_view>

namespace p2pa {

/// From what needs somebody's attention to what only a bug hunt needs.
enum class LogLevel : std::uint8_t { kError, kWarning, kInfo, kDebug, kTrace };

/// One line.
struct LogRecord {
  LogLevel level;
  std::string_view subsystem;  ///< "node", "limits", "dial", "connection", "stream"
  std::string_view text;       ///< valid during the call
};

/// Called in the node's turn. It may not ask the node for anything.
using LogFunction = std::move_only_function<void(const LogRecord&)>;

}  // namespace p2pa
