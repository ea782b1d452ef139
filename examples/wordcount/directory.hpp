#pragma once
// A directory that one node keeps for the others: who offers which work, and where. Everybody needs
// to know only this node's address.

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "p2pagents/node.hpp"

namespace wordcount {

/// Entries of one directory; more are refused.
inline constexpr std::size_t kEntriesMax = 10'000;

/// Serves `directory.offer` (a line "skill", then lines of addresses; the offer ends with the
/// connection) and `directory.find` (a skill; answers one address a line).
class Directory {
 public:
  /// REQUIRES: outlived by the node's last turn.
  explicit Directory(p2pa::Node& node);
  /// To be told of the node's events.
  void on_event(const p2pa::NodeEvent& event);
  std::size_t size() const { return offers_.size(); }

 private:
  struct Offer {
    std::string skill;
    std::string addresses;  // one a line
  };
  std::map<p2pa::PeerId, Offer> offers_;
};

using Found = std::move_only_function<void(std::vector<p2pa::Multiaddr>)>;
using Offered = std::move_only_function<void(bool)>;

/// Tells the directory at `where` what this node offers.
void offer(p2pa::Node& node, const p2pa::Multiaddr& where, std::string_view skill, Offered done);
/// Asks the directory who offers a skill; empty when it does not answer.
void find(p2pa::Node& node, const p2pa::Multiaddr& where, std::string_view skill, Found done);

}  // namespace wordcount
