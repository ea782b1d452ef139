#pragma once
// What honest peers do while a node is attacked: bulk both ways over a connection that is up, and dials of
// newcomers meanwhile. How long it takes is compared with the same world in peace.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support.hpp"

namespace p2pa::sim {

class HonestWork {
 public:
  static constexpr std::size_t kNewcomers = 5;

  /// The link of each host, so that the bulk takes a while.
  static constexpr LinkOptions kLink{.delay = milliseconds(20), .rate_bits_per_s = 20'000'000};

  /// A server with these options, and honest peers that dial it at `listen`, which is one of its addresses. REQUIRES
  /// a fresh world.
  HonestWork(World& world, NodeOptions server);

  NodeId server() const { return pair_.server; }
  const PeerId& server_id() const { return pair_.server_id; }
  HostId server_host() const { return world_.host(pair_.server); }
  std::uint64_t dropped(DropCounters::Which reason) { return world_.node(server()).drop_counters().dropped[reason]; }
  LimitUsage usage() { return world_.node(server()).usage(); }

  /// How long the bulk takes from now on. CHECKs that every newcomer was answered.
  Duration run();

 private:
  World& world_;
  Pair pair_;
  std::vector<NodeId> newcomers_;
};

/// Runs honest work beside an attack, in each seed's world twice, and requires nine tenths of the goodput that
/// it has in the same world without. `attack` begins it, and returns what is to be CHECKed when the work is done.
using Attack = std::function<std::function<void()>(World&, HonestWork&)>;
void check_goodput(const std::string& scenario, const std::function<NodeOptions(World&)>& server, const Attack& attack);

}  // namespace p2pa::sim
