#include "sim/network.hpp"

#include <catch2/catch.hpp>

using namespace p2pa;
using namespace p2pa::sim;

namespace {

IpEndpoint any4(std::uint16_t port) {
  IpEndpoint out;
  out.port = port;
  return out;
}

/// Two hosts, a socket on each; node 0 on host 0 and node 1 on host 1.
struct Fixture {
  std::uint8_t seed[32] = {1};
  EventQueue events;
  Stats stats;
  Network network{seed, events, stats};
  HostId a = network.add_host(), b = network.add_host();
  IpEndpoint at_b{network.addresses(b)[0], 4001, 0};

  Fixture() {
    REQUIRE(network.bind(a, 0, 1, any4(0)));
    REQUIRE(network.bind(b, 1, 1, any4(4001)));
  }
  void send(HostId from, const IpEndpoint& to, std::size_t size = 100, std::size_t segment = 0) {
    Transmit transmit;
    transmit.socket = 1;
    transmit.remote = to;
    transmit.segment_size = segment;
    transmit.size = size;
    network.send(Instant{0}, from, from, transmit, Bytes(size, 7));
  }
  /// The next arrival; empty when none gets through.
  std::optional<Network::Delivery> next() {
    if (events.empty()) return std::nullopt;
    return network.deliver(events.pop().slot);
  }
};

}  // namespace

TEST_CASE("a datagram finds the socket of its address, and its answer finds the way back") {
  Fixture f;
  f.send(f.a, f.at_b);
  const auto there = f.next();
  REQUIRE(there);
  CHECK(there->node == 1);
  CHECK(there->datagram.socket == 1);
  CHECK(there->datagram.local == f.at_b);
  CHECK(there->datagram.remote.ip == f.network.addresses(f.a)[0]);
  f.send(f.b, there->datagram.remote);
  const auto back = f.next();
  REQUIRE(back);
  CHECK(back->node == 0);
  CHECK(back->datagram.remote == f.at_b);
}

TEST_CASE("a transmit of several segments arrives as several datagrams in order") {
  Fixture f;
  f.send(f.a, f.at_b, 2500, 1000);
  CHECK(f.next()->datagram.bytes.size() == 1000);
  CHECK(f.next()->datagram.bytes.size() == 1000);
  CHECK(f.next()->datagram.bytes.size() == 500);
  CHECK_FALSE(f.next());
  CHECK(f.stats.sent == 3);
  CHECK(f.stats.delivered_bytes == 2500);
}

TEST_CASE("what nobody owns or listens on is unreachable") {
  Fixture f;
  f.send(f.a, {f.at_b.ip, 4002, 0});
  CHECK_FALSE(f.next());
  CHECK(f.stats.unreachable == 1);
  f.send(f.a, {*IpAddress::parse("192.0.2.1"), 4001, 0});
  CHECK(f.events.empty());
  CHECK(f.stats.unreachable == 2);
  f.network.close(f.b, 1, 1);
  f.send(f.a, f.at_b);
  CHECK_FALSE(f.next());
  CHECK(f.stats.unreachable == 3);
}

TEST_CASE("a socket of one family does not reach the other") {
  Fixture f;
  f.send(f.a, {f.network.addresses(f.b)[1], 4001, 0});
  CHECK(f.events.empty());
  CHECK(f.stats.unreachable == 1);
}

TEST_CASE("a port is bound once, and only on the host's own addresses") {
  Fixture f;
  const auto taken = f.network.bind(f.b, 2, 1, any4(4001));
  REQUIRE_FALSE(taken);
  CHECK(taken.error().detail == Network::kAddressInUse);
  CHECK_FALSE(f.network.bind(f.b, 2, 1, f.at_b));
  const auto foreign = f.network.bind(f.b, 2, 1, {f.network.addresses(f.a)[0], 4002, 0});
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error().detail == Network::kAddressNotAvailable);
  CHECK(f.network.bind(f.b, 2, 1, any4(4002)));
  IpEndpoint any6 = any4(4001);
  any6.ip.v6 = true;
  CHECK(f.network.bind(f.b, 2, 2, any6));
}

TEST_CASE("loopback stays on its host") {
  Fixture f;
  REQUIRE(f.network.bind(f.b, 2, 1, any4(4002)));
  f.send(f.b, {*IpAddress::parse("127.0.0.1"), 4002, 0});
  const auto there = f.next();
  REQUIRE(there);
  CHECK(there->node == 2);
  CHECK(there->datagram.remote.ip.is_loopback());
  f.send(f.a, {*IpAddress::parse("127.0.0.1"), 4002, 0});
  CHECK_FALSE(f.next());
}

TEST_CASE("a host that moved sends from its new address and is gone from the old one") {
  Fixture f;
  const IpEndpoint old = f.at_b;
  REQUIRE(f.network.change_address(f.b, *IpAddress::parse("198.51.100.7")));
  f.send(f.a, old);
  CHECK_FALSE(f.next());
  f.send(f.a, {*IpAddress::parse("198.51.100.7"), 4001, 0});
  CHECK(f.next());
  CHECK_FALSE(f.network.change_address(f.a, *IpAddress::parse("198.51.100.7")));
}

TEST_CASE("a datagram on its way to an address that is given up is lost") {
  Fixture f;
  f.send(f.a, f.at_b);
  REQUIRE(f.network.change_address(f.b, *IpAddress::parse("198.51.100.7")));
  CHECK_FALSE(f.next());
  CHECK(f.stats.unreachable == 1);
}

TEST_CASE("after a rebind others see another port, and the host sees nothing") {
  Fixture f;
  f.send(f.a, f.at_b);
  const IpEndpoint before = f.next()->datagram.remote;
  REQUIRE(f.network.rebind(f.a, *IpAddress::parse("203.0.113.5")));
  f.send(f.a, f.at_b);
  const IpEndpoint after = f.next()->datagram.remote;
  CHECK(after.port != before.port);
  CHECK(after.ip == *IpAddress::parse("203.0.113.5"));
  CHECK(f.network.addresses(f.a)[0] == before.ip);
  f.send(f.b, before);
  CHECK_FALSE(f.next());
  f.send(f.b, after);
  const auto back = f.next();
  REQUIRE(back);
  CHECK(back->node == 0);
  CHECK(back->datagram.local == before);
}

TEST_CASE("a duplicate arrives twice and is sent once") {
  Fixture f;
  f.network.default_link().duplicate = 1;
  f.send(f.a, f.at_b);
  CHECK(f.next());
  CHECK(f.next());
  CHECK_FALSE(f.next());
  CHECK(f.stats.sent == 1);
  CHECK(f.stats.duplicated == 1);
  CHECK(f.stats.delivered == 2);
}

TEST_CASE("a filter sees every datagram and may drop it") {
  Fixture f;
  int seen = 0;
  f.network.on_datagram([&](const Datagram& datagram) {
    CHECK(datagram.from == f.a);
    CHECK(datagram.to == f.b);
    CHECK(datagram.to_port == 4001);
    return ++seen != 1;
  });
  f.send(f.a, f.at_b);
  f.send(f.a, f.at_b);
  CHECK(f.next());
  CHECK_FALSE(f.next());
  CHECK(f.stats.filtered == 1);
}

TEST_CASE("anybody's datagram can be forged") {
  Fixture f;
  f.network.inject(Instant{0}, f.a, 53, f.b, 4001, as_bytes("hello"));
  const auto there = f.next();
  REQUIRE(there);
  CHECK(there->datagram.remote.port == 53);
  CHECK(as_text(there->datagram.bytes) == "hello");
}
