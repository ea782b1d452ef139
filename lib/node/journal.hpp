#pragma once
// What a node writes to its log: one line for each thing that happened, made only if it is wanted.

#include <array>
#include <string>

#include "p2pagents/error.hpp"
#include "p2pagents/limits.hpp"
#include "p2pagents/log.hpp"
#include "p2pagents/node.hpp"

namespace p2pa {

/// Errors: what keeps the node from working. Warnings: what its host may want to change. Info: where it
/// listens, and its end. Debug: every connection, and why one did not come to be. Trace: the rest.
class Journal final {
 public:
  /// A bound under attack refuses thousands of times; its line comes once in this time, with the sum.
  static constexpr Duration kLimitInterval = seconds(1);

  Journal(LogFunction function, LogLevel most) : function_(std::move(function)), most_(most) {}
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  void happened(const NodeEvent& event);
  /// One address of a dial.
  void dial_failed(const PeerId& peer, const Multiaddr& address, const Error& why);
  void stream_refused(const PeerId& peer, const Error& why);
  /// Of an option; what was in use stays.
  void files_unusable(std::string_view option, const Error& why);
  void refusals(Instant now, const LimitCounters& counters);

 private:
  bool wants(LogLevel level) const { return function_ && level <= most_; }
  void write(LogLevel level, std::string_view subsystem, const std::string& text) {
    function_({level, subsystem, text});
  }

  LogFunction function_;
  LogLevel most_;
  LimitCounters told_;
  std::array<Instant, LimitCounters::kCount> next_{};
};

}  // namespace p2pa
