#pragma once
#include <string>
#include <vector>

#include "p2pagents/node.hpp"

namespace p2pa::sim {

/// What a node reported, one line an event, without what differs between a run in the world and one
/// on a real network: times, ports, connection ids. So the same program under two drivers gives
/// the same lines.
class EventLog final {
 public:
  void add(const NodeEvent& event);
  const std::vector<std::string>& lines() const { return lines_; }

  /// For example "disconnected 12D3KooW… last connection_closed 0".
  static std::string line(const NodeEvent& event);

 private:
  std::vector<std::string> lines_;
};

}  // namespace p2pa::sim
