#pragma once
// Writes down what becomes of one dial.

#include <cstdint>
#include <memory>
#include <optional>

#include "p2pagents/dial_report.hpp"

namespace p2pa::swarm {

class ReportBuilder final {
 public:
  /// An attempt in the report; empty: it did not fit any more.
  using Entry = std::optional<std::size_t>;

  explicit ReportBuilder(Instant begun) : begun_(begun) {}

  void skipped(Instant now, const Multiaddr& address, DialStage stage, const Error& why);
  Entry started(Instant now, const Multiaddr& address);
  /// Once for each that was started.
  void ended(Instant now, Entry entry, DialStage stage, const Error& why);
  /// Shared, since everybody who waited is told, and the node's event has it too.
  std::shared_ptr<const DialReport> finish(Instant now, const PeerId& peer, const Error& error);

 private:
  Entry add(DialAttempt attempt);

  Instant begun_;
  DialReport report_;
};

}  // namespace p2pa::swarm
