#include <catch2/catch.hpp>

#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

/// Changes the client's way to the server while calls go on; none may fail, no connection be made
/// anew.
void survives(World& world, const std::string& listen, const std::function<void(HostId)>& change) {
  const Pair pair = make_pair(world, listening(listen));
  const Watch client_events(world, pair.client), server_events(world, pair.server);
  REQUIRE(connect(world, pair.client, pair.server_id));
  world.run_for(seconds(2));
  CHECK(call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes("before")).ok());
  const auto across = call(world, pair.client, pair.server_id, "echo", pattern(100'000, 1));
  world.run_for(milliseconds(15));
  change(world.host(pair.client));
  world.run_for(seconds(20));
  CHECK(across->ok());
  const bool whole = across->bytes == pattern(100'000, 1);  // not for the eye
  CHECK(whole);
  CHECK(call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes("after")).ok());
  CHECK(client_events.count(NodeEvent::Kind::kConnected) == 1);
  CHECK(client_events.count(NodeEvent::Kind::kDisconnected) == 0);
  CHECK(server_events.count(NodeEvent::Kind::kDisconnected) == 0);
  CHECK(server_events.count(NodeEvent::Kind::kPathChanged) == 1);
  // The other direction finds the new path too.
  serve_echo(world.node(pair.client));
  CHECK(call_and_wait(world, pair.server, world.node(pair.client).id(), "echo", as_bytes("back"))
            .ok());
}

}  // namespace

TEST_CASE("a connection survives a NAT that forgets its mapping") {
  const std::string carrier = GENERATE(as<std::string>{}, "quic-v1", "p2pa-udp");
  const std::string listen = "/ip4/0.0.0.0/udp/4001/" + carrier;
  for_seeds(3, "rebinding, port, " + carrier, [&](World& world) {
    survives(world, listen, [&](HostId host) { REQUIRE(world.rebind(host)); });
  });
  for_seeds(1, "rebinding, port and address, " + carrier, [&](World& world) {
    survives(world, listen, [&](HostId host) { REQUIRE(world.rebind(host, "198.51.100.7")); });
  });
}

TEST_CASE("a connection survives its client's change of address") {
  const std::string carrier = GENERATE(as<std::string>{}, "quic-v1", "p2pa-udp");
  for_seeds(3, "address change, IPv4, " + carrier, [&](World& world) {
    survives(world, "/ip4/0.0.0.0/udp/4001/" + carrier,
             [&](HostId host) { REQUIRE(world.change_address(host, "198.51.100.7")); });
  });
  for_seeds(1, "address change, IPv6, " + carrier, [&](World& world) {
    survives(world, "/ip6/::/udp/4001/" + carrier,
             [&](HostId host) { REQUIRE(world.change_address(host, "2001:db8::7")); });
  });
}
