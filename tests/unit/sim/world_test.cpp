// The world's own promises to who writes a scenario.

#include <catch2/catch.hpp>

#include "p2pagents/sim.hpp"

using namespace p2pa;

TEST_CASE("a node's address can be asked for as soon as it was added, and no time passes") {
  sim::World world(1);
  NodeOptions options;
  options.listen = {Multiaddr::parse("/ip4/0.0.0.0/udp/4001/quic-v1").value()};
  const sim::NodeId node = world.add_node(std::move(options));
  const Multiaddr address = world.address(node);
  CHECK(address.peer_id() == world.node(node).id());
  CHECK(address == world.node(node).addresses().front());
  CHECK(world.now() == sim::World::kBegin);
}

TEST_CASE("a node's address is known again right after its restart") {
  sim::World world(1);
  NodeOptions options;
  options.listen = {Multiaddr::parse("/ip4/0.0.0.0/udp/4001/quic-v1").value()};
  const sim::NodeId node = world.add_node(NodeOptions{});
  world.kill(node);
  world.restart(node, std::move(options));
  CHECK(world.address(node).peer_id() == world.node(node).id());
}
