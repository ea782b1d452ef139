// Dialing by name, in the world.
#include <catch2/catch.hpp>

#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

using DialResult = std::optional<Result<ConnectionInfo>>;

DialCallback into(DialResult& result) {
  return [&result](Result<ConnectionInfo> info) { result = std::move(info); };
}

Multiaddr multiaddr(const std::string& text) { return *Multiaddr::parse(text); }

std::string host_address(World& world, NodeId node) { return world.addresses(world.host(node)).at(0); }

std::string peer_part(World& world, NodeId node) { return "/p2p/" + world.node(node).id().to_string(); }

/// Dials, and runs the world until that ended.
Result<ConnectionInfo> dial(World& world, NodeId from, const std::string& address) {
  DialResult result;
  world.node(from).dial(multiaddr(address), into(result));
  world.run_until([&] { return result.has_value(); }, seconds(60));
  REQUIRE(result.has_value());
  return *result;
}

}  // namespace

TEST_CASE("a peer is dialed by the name of its host, over QUIC and TCP") {
  for (const std::string over : {"/udp/4001/quic-v1", "/tcp/4001"}) {
    for_seeds(2, "by name " + over, [&](World& world) {
      const Pair pair = make_pair(world, listening("/ip4/0.0.0.0" + over));
      REQUIRE(world.set_dns("server.test", DnsRecord::kA, {host_address(world, pair.server)}));
      const NodeId client = world.add_node({});
      for (const std::string kind : {"/dns4/server.test", "/dns/Server.test."}) {
        const auto info = dial(world, client, kind + over + peer_part(world, pair.server));
        REQUIRE(info.has_value());
        CHECK(info->peer == pair.server_id);
        CHECK(info->remote_address == multiaddr("/ip4/" + host_address(world, pair.server) + over));
        world.node(client).disconnect(pair.server_id);
        world.run_for(seconds(1));
      }
      const auto info = dial(world, client, "/dns4/server.test" + over);  // whoever answers
      REQUIRE(info.has_value());
      CHECK(info->peer == pair.server_id);
    });
  }
}

TEST_CASE("a dnsaddr leads to the peer that is asked for") {
  for_seeds(2, "dnsaddr", [](World& world) {
    const Pair pair = make_pair(world);
    const NodeId other = world.add_node(listening());
    const auto record = [&](NodeId node) {
      return "dnsaddr=/ip4/" + host_address(world, node) + "/udp/4001/quic-v1" + peer_part(world, node);
    };
    REQUIRE(world.set_dns("_dnsaddr.boot.test", DnsRecord::kTxt,
                          {record(other), "dnsaddr=/dnsaddr/one.boot.test" + peer_part(world, pair.server)}));
    REQUIRE(world.set_dns("_dnsaddr.one.boot.test", DnsRecord::kTxt, {record(pair.server), "garbage"}));
    const NodeId client = world.add_node({});
    const auto info = dial(world, client, "/dnsaddr/boot.test" + peer_part(world, pair.server));
    REQUIRE(info.has_value());
    CHECK(info->peer == pair.server_id);
    CHECK(world.node(client).connections().size() == 1);
  });
}

TEST_CASE("without a peer a dnsaddr is satisfied by any of its records, and by no impostor") {
  for_seeds(2, "dnsaddr of anybody", [](World& world) {
    const Pair pair = make_pair(world);
    const NodeId other = world.add_node({});
    const std::string where = "dnsaddr=/ip4/" + host_address(world, pair.server) + "/udp/4001/quic-v1";
    const NodeId client = world.add_node({});
    REQUIRE(world.set_dns("_dnsaddr.good.test", DnsRecord::kTxt,
                          {where + peer_part(world, client), where + peer_part(world, pair.server)}));
    REQUIRE(world.set_dns("_dnsaddr.bad.test", DnsRecord::kTxt, {where + peer_part(world, other)}));
    REQUIRE(world.set_dns("_dnsaddr.self.test", DnsRecord::kTxt, {where + peer_part(world, client)}));
    CHECK(dial(world, client, "/dnsaddr/bad.test").error().code == Code::kPeerIdMismatch);
    CHECK(dial(world, client, "/dnsaddr/self.test").error().code == Code::kInvalidArgument);
    const auto info = dial(world, client, "/dnsaddr/good.test");
    REQUIRE(info.has_value());
    CHECK(info->peer == pair.server_id);
  });
}

TEST_CASE("a name that a peer is known by is resolved when the peer is called, each time anew") {
  for_seeds(2, "name in the peerstore", [](World& world) {
    world.set_dns_options({.ttl = seconds(1)});
    const Pair pair = make_pair(world);
    const NodeId client = world.add_node({});
    REQUIRE(world.set_dns("server.test", DnsRecord::kA, {host_address(world, pair.server)}));
    REQUIRE(world.node(client).add_address(pair.server_id, multiaddr("/dns4/server.test/udp/4001/quic-v1")));
    CHECK(call_and_wait(world, client, pair.server_id, "echo", as_bytes("x")).ok());
    world.node(client).disconnect(pair.server_id);
    world.run_for(seconds(5));
    REQUIRE(world.change_address(world.host(pair.server), "11.5.5.5"));
    REQUIRE(world.set_dns("server.test", DnsRecord::kA, {"11.5.5.5"}));
    CHECK(call_and_wait(world, client, pair.server_id, "echo", as_bytes("x")).ok());
    CHECK(world.stats().dns_queries == 2);
  });
}

TEST_CASE("a slow name server does not hold up addresses that need none") {
  for_seeds(2, "slow name server", [](World& world) {
    world.set_dns_options({.delay = seconds(5)});
    const Pair pair = make_pair(world);
    REQUIRE(world.set_dns("server.test", DnsRecord::kA, {host_address(world, pair.server)}));
    const NodeId client = world.add_node({});
    Node& node = world.node(client);
    REQUIRE(node.add_address(pair.server_id, multiaddr("/dns4/server.test/udp/4001/quic-v1")));
    introduce(world, client, pair.server);
    const Instant begin = world.now();
    REQUIRE(connect(world, client, pair.server_id));
    CHECK(world.now() - begin < seconds(1));
    const NodeId patient = world.add_node({});
    const auto info = dial(world, patient, "/dns4/server.test/udp/4001/quic-v1");
    CHECK(info.has_value());
    CHECK(world.now() - begin > seconds(5));
    world.run_for(seconds(10));  // the answer that the first had no use for
    CHECK(node.connections().size() == 1);
  });
}

TEST_CASE("a name that stands for nothing fails the dial, and says why") {
  for_seeds(2, "no such name", [](World& world) {
    const NodeId client = world.add_node({});
    const auto why = [&](const std::string& address) {
      const auto info = dial(world, client, address);
      REQUIRE_FALSE(info.has_value());
      CHECK(info.error().code == Code::kUnresolved);
      return std::string(info.error().why);
    };
    CHECK(why("/dns4/nobody.test/tcp/1") == "dns: no such name");
    REQUIRE(world.set_dns("_dnsaddr.spf.test", DnsRecord::kTxt, {"v=spf1 -all"}));
    CHECK(why("/dnsaddr/spf.test") == "dns: no record of the name is a dnsaddr");
    world.set_dns_options({.silence = 1});
    const Instant begin = world.now();
    CHECK(why("/dns4/silent.test/tcp/1") == "dns: no name server answered");
    CHECK(world.now() - begin == World::kDnsTimeout);
    world.set_dns_options({.delay = minutes(1)});
    CHECK(why("/dns4/late.test/tcp/1") == "dns: no name server answered in time");
  });
}

TEST_CASE("a name server that answers garbage leads nowhere") {
  for_seeds(3, "garbage", [](World& world) {
    world.set_dns_options({.garbage = 1});
    const NodeId client = world.add_node({});
    const std::string record = "dnsaddr=/ip4/11.0.0.1/udp/1/quic-v1";
    REQUIRE(world.set_dns("_dnsaddr.a.test", DnsRecord::kTxt, {std::string(200, 'x'), record}));
    REQUIRE(world.set_dns("a.test", DnsRecord::kA, {"11.0.0.1"}));
    CHECK(dial(world, client, "/dnsaddr/a.test").error().code == Code::kUnresolved);
    CHECK_FALSE(dial(world, client, "/dns4/a.test/udp/1/quic-v1").has_value());
  });
}

TEST_CASE("a node closes while its names are being resolved, and a disconnect ends the wait") {
  for_seeds(2, "closing", [](World& world) {
    world.set_dns_options({.delay = seconds(8)});
    const Pair pair = make_pair(world);
    const NodeId client = world.add_node({});
    const Watch watch(world, client);
    const std::string address = "/dns4/server.test/udp/4001/quic-v1" + peer_part(world, pair.server);
    DialResult given_up, closed;
    world.node(client).dial(multiaddr(address), into(given_up));
    world.run_for(seconds(1));
    world.node(client).disconnect(pair.server_id);
    world.run_for(milliseconds(1));
    REQUIRE(given_up.has_value());
    CHECK(given_up->error().code == Code::kCancelled);
    world.node(client).dial(multiaddr(address), into(closed));
    world.run_for(seconds(1));
    world.node(client).close();
    world.run_for(seconds(20));
    REQUIRE(closed.has_value());
    CHECK(closed->error().code == Code::kClosed);
    CHECK(watch.count(NodeEvent::Kind::kClosed) == 1);
    CHECK(world.node(client).closed());
  });
}

TEST_CASE("a node with a proxy asks no name server that it was not told of") {
  for_seeds(1, "proxy", [](World& world) {
    REQUIRE(world.set_dns("server.test", DnsRecord::kA, {"11.0.0.1"}));
    NodeOptions quiet_options, told_options;
    quiet_options.proxy = told_options.proxy = "http://11.9.9.9:3128";
    told_options.dns_servers = {"11.0.0.53"};
    const NodeId quiet = world.add_node(std::move(quiet_options));
    CHECK(dial(world, quiet, "/dns4/server.test/tcp/1").error().code == Code::kUnsupported);
    CHECK(world.stats().dns_queries == 0);
    const NodeId told = world.add_node(std::move(told_options));
    CHECK(dial(world, told, "/dns4/server.test/tcp/1").error().code != Code::kUnsupported);
    CHECK(world.stats().dns_queries == 1);
  });
}

TEST_CASE("records of the world are checked") {
  World world(1);
  CHECK(world.set_dns("a b", DnsRecord::kA, {"11.0.0.1"}).error().code == Code::kInvalidArgument);
  CHECK(world.set_dns("a", DnsRecord::kA, {"2001:db8::1"}).error().code == Code::kInvalidArgument);
  CHECK(world.set_dns("a", DnsRecord::kAaaa, {"11.0.0.1"}).error().code == Code::kInvalidArgument);
  CHECK(world.set_dns("a", DnsRecord::kTxt, {"anything at all"}).has_value());
}
