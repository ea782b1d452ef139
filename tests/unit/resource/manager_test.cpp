#include "resource/manager.hpp"

#include <catch2/catch.hpp>
#include <vector>

using namespace p2pa;
using resource::Manager;
using resource::Reservation;

namespace {

PeerId peer(std::uint8_t n) {
  Bytes key(36, n);
  return PeerId::from_public_key(key);
}

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }

Limits small() {
  Limits limits;
  limits.connections_max = 3;
  limits.connections_per_peer_max = 2;
  limits.connections_per_ip_max = 2;
  limits.handshakes_max = 4;
  limits.handshakes_per_ip_max = 2;
  limits.streams_max = 3;
  limits.streams_per_peer_max = 2;
  limits.calls_max = 3;
  limits.calls_per_peer_max = 2;
  limits.memory_max = 100;
  limits.memory_per_peer_max = 60;
  return limits;
}

template <class T>
Code code_of(const Result<T>& result) {
  return result ? Code::kOk : result.error().code;
}

}  // namespace

TEST_CASE("one connection over each bound is refused, counted, and possible again after release") {
  Manager manager(small());
  std::vector<Reservation> held;
  held.push_back(manager.connection(peer(1), ip("192.0.2.1")).value());
  held.push_back(manager.connection(peer(1), ip("192.0.2.1")).value());

  CHECK(code_of(manager.connection(peer(1), ip("192.0.2.2"))) == Code::kLimitPeer);
  CHECK(code_of(manager.connection(peer(2), ip("192.0.2.1"))) == Code::kLimitIp);
  held.push_back(manager.connection(peer(2), ip("192.0.2.2")).value());
  const auto refused = manager.connection(peer(3), ip("192.0.2.3"));
  CHECK(code_of(refused) == Code::kLimitConnections);
  CHECK(refused.error().detail == 3);

  const auto& counted = manager.counters().refused;
  CHECK(counted[LimitCounters::kConnectionsPerPeer] == 1);
  CHECK(counted[LimitCounters::kConnectionsPerIp] == 1);
  CHECK(counted[LimitCounters::kConnections] == 1);

  held.clear();
  CHECK(manager.usage().connections == 0);
  CHECK(manager.connection(peer(1), ip("192.0.2.1")).has_value());
}

TEST_CASE("addresses of one IPv6 /64 count as one, loopback does not count") {
  Manager manager(small());
  const auto a = manager.connection(peer(1), ip("2001:db8::1"));
  const auto b = manager.connection(peer(2), ip("2001:db8::2"));
  CHECK(code_of(manager.connection(peer(3), ip("2001:db8::3"))) == Code::kLimitIp);
  CHECK(manager.connection(peer(3), ip("2001:db8:0:1::3")).has_value());

  Limits limits = small();
  limits.connections_max = 100;
  Manager local(limits);
  std::vector<Reservation> held;
  for (std::uint8_t n = 1; n < 20; ++n) {
    auto granted = local.connection(peer(n), ip("127.0.0.1"));
    REQUIRE(granted.has_value());
    held.push_back(std::move(*granted));
  }
}

TEST_CASE("half of an address's handshakes is load for that address alone") {
  Limits limits;
  limits.handshakes_per_ip_max = 4;
  Manager manager(limits);
  const auto a = manager.handshake(ip("192.0.2.1")), loop = manager.handshake(ip("127.0.0.1"));
  CHECK_FALSE(manager.under_load(ip("192.0.2.1")));
  const auto b = manager.handshake(ip("192.0.2.1")), again = manager.handshake(ip("127.0.0.1"));
  CHECK(manager.under_load(ip("192.0.2.1")));
  CHECK_FALSE(manager.under_load(ip("192.0.2.2")));
  CHECK_FALSE(manager.under_load(ip("127.0.0.1")));
}

TEST_CASE("handshakes are bounded per node and per address, and half of them is load") {
  Manager manager(small());
  CHECK_FALSE(manager.under_load(ip("192.0.2.9")));
  auto a = manager.handshake(ip("192.0.2.1"));
  auto b = manager.handshake(ip("192.0.2.1"));
  CHECK(manager.under_load(ip("192.0.2.9")));
  CHECK(code_of(manager.handshake(ip("192.0.2.1"))) == Code::kLimitIp);
  auto c = manager.handshake(ip("192.0.2.2"));
  auto d = manager.handshake(ip("192.0.2.3"));
  CHECK(code_of(manager.handshake(ip("192.0.2.4"))) == Code::kLimitHandshakes);
  a->release();
  a->release();  // twice gives back once
  CHECK(manager.usage().handshakes == 3);
  CHECK(manager.handshake(ip("192.0.2.4")).has_value());
}

TEST_CASE("streams and calls are bounded per node and per peer") {
  Manager manager(small());
  auto s1 = manager.stream(peer(1));
  auto s2 = manager.stream(peer(1));
  CHECK(code_of(manager.stream(peer(1))) == Code::kLimitPeer);
  auto s3 = manager.stream(peer(2));
  CHECK(code_of(manager.stream(peer(3))) == Code::kLimitStreams);

  auto c1 = manager.call(peer(1));
  auto c2 = manager.call(peer(1));
  CHECK(code_of(manager.call(peer(1))) == Code::kLimitPeer);
  auto c3 = manager.call(peer(2));
  CHECK(code_of(manager.call(peer(3))) == Code::kLimitCalls);
}

TEST_CASE("memory is bounded in bytes, also against sizes that would wrap around") {
  Manager manager(small());
  auto a = manager.memory(peer(1), 60);
  CHECK(code_of(manager.memory(peer(1), 1)) == Code::kLimitPeer);
  CHECK(code_of(manager.memory(peer(2), 41)) == Code::kLimitMemory);
  CHECK(code_of(manager.memory(peer(2), ~std::size_t{0})) == Code::kLimitMemory);
  auto b = manager.memory(peer(2), 40);
  CHECK(manager.usage().memory == 100);
  a->release();
  CHECK(manager.usage().memory == 40);
}

TEST_CASE("streams, calls and memory of all peers at one address are bounded together") {
  Limits limits;
  limits.streams_per_ip_max = limits.calls_per_ip_max = 2;
  limits.memory_per_ip_max = 100;
  Manager manager(limits);
  std::vector<Reservation> connections;
  for (std::uint8_t n = 1; n <= 3; ++n) {
    connections.push_back(manager.connection(peer(n), ip("192.0.2.1")).value());
  }
  connections.push_back(manager.connection(peer(4), ip("192.0.2.2")).value());

  auto s1 = manager.stream(peer(1)), s2 = manager.stream(peer(2));
  auto c1 = manager.call(peer(1)), c2 = manager.call(peer(2));
  auto m1 = manager.memory(peer(1), 60), m2 = manager.memory(peer(2), 30);
  CHECK(manager.memory_free(peer(3)) == 10);
  CHECK(code_of(manager.stream(peer(3))) == Code::kLimitIp);
  CHECK(code_of(manager.call(peer(3))) == Code::kLimitIp);
  const auto refused = manager.memory(peer(3), 11);
  CHECK(code_of(refused) == Code::kLimitIp);
  CHECK(refused.error().detail == 100);
  CHECK(manager.stream(peer(4)).has_value());
  CHECK(manager.call(peer(4)).has_value());
  CHECK(manager.memory(peer(4), 11).has_value());
  const auto& counted = manager.counters().refused;
  CHECK(counted[LimitCounters::kStreamsPerIp] == 1);
  CHECK(counted[LimitCounters::kCallsPerIp] == 1);
  CHECK(counted[LimitCounters::kMemoryPerIp] == 1);

  // What was taken at the old address is given back there.
  connections.push_back(manager.connection(peer(1), ip("192.0.2.3")).value());
  s1->release();
  c1->release();
  m1->release();
  CHECK(manager.stream(peer(3)).has_value());
  CHECK(manager.call(peer(3)).has_value());
  CHECK(manager.memory_free(peer(3)) == 70);
}

TEST_CASE("what is used over loopback, or by a peer without a connection, counts for no address") {
  Limits limits;
  limits.streams_per_ip_max = limits.calls_per_ip_max = 0;
  limits.memory_per_ip_max = 0;
  Manager manager(limits);
  const auto connection = manager.connection(peer(1), ip("127.0.0.1"));
  for (const PeerId& one : {peer(1), peer(2)}) {
    CHECK(manager.stream(one).has_value());
    CHECK(manager.call(one).has_value());
    CHECK(manager.memory(one, 1).has_value());
  }
}

TEST_CASE("a reservation that is moved is given back once") {
  Manager manager(small());
  Reservation first = manager.stream(peer(1)).value();
  Reservation second = std::move(first);
  first.release();
  CHECK(manager.usage().streams == 1);
  second = manager.stream(peer(2)).value();
  CHECK(manager.usage().streams == 1);
}
