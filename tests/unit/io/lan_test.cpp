// Messages on the local network with real sockets: over this host's loopback interface, whatever else it has.
// tests/tool/lan_test.py has hosts and switches.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>

#include "by_descriptor.hpp"
#include "io/entropy.hpp"
#include "io/interfaces.hpp"
#include "io/udp_socket.hpp"
#include "io/uv_driver.hpp"
#include "p2pagents/node.hpp"

namespace p2pa::io {
namespace {

constexpr Duration kPatience = seconds(20);
constexpr int kMessages = 5;
using Texts = std::vector<std::string>;

/// A port that is free, and an application that no other run of this test has.
LanOptions network() {
  const auto socket = UdpSocket::bind(1, {}, true);
  REQUIRE(socket.has_value());
  LanOptions options;
  options.port = (*socket)->local().port;
  std::array<std::uint8_t, 8> random;
  REQUIRE(fill_entropy(random).has_value());
  for (const std::uint8_t byte : random) options.application += std::to_string(byte);
  return options;
}

/// An agent that says five things, the next one when it has heard another's last one, and closes when it has heard
/// all of the other's. What it heard is in the order of coming.
struct Agent {
  Agent(const LanOptions& lan, std::string agent_name) : name(std::move(agent_name)) {
    NodeOptions options;
    options.lan = lan;
    auto opened = Node::open(std::move(options));
    REQUIRE(opened.has_value());
    node = std::move(*opened);
    REQUIRE(node->join_lan("t"));
    node->on_event([this](const NodeEvent& event) {
      if (event.kind == NodeEvent::Kind::kClosed) closed = true;
    });
    node->on_lan_message([this](const LanMessage& message) {
      heard.emplace_back(as_text(message.bytes));
      say();
    });
  }
  void say() {
    if (said < kMessages) (void)node->send_lan("t", as_bytes(name + std::to_string(said++)));
  }
  bool done() const { return heard.size() == kMessages; }

  std::string name;
  std::unique_ptr<Node> node;
  Texts heard;
  int said = 0;
  std::atomic<bool> closed = false;
};

Texts expected(const std::string& name) {
  Texts out;
  for (int i = 0; i < kMessages; ++i) out.push_back(name + std::to_string(i));
  return out;
}

/// Two agents that listen; the first begins.
struct Two {
  Two() : first(lan, "a"), second(lan, "b") {
    for (Node* node : {first.node.get(), second.node.get()}) REQUIRE(node->poll(Duration{0}).has_value());
  }
  bool done() const { return first.done() && second.done(); }
  void check() {
    CHECK(first.heard == expected("b"));
    CHECK(second.heard == expected("a"));
  }

  LanOptions lan = network();
  Agent first, second;
};

TEST_CASE("two nodes of a host hear each other by poll") {
  Two two;
  two.first.say();
  const Instant end = UvLoop::now() + kPatience;
  while (!two.done() && UvLoop::now() < end) {
    REQUIRE(two.first.node->poll(microseconds(200)).has_value());
    REQUIRE(two.second.node->poll(microseconds(200)).has_value());
  }
  two.check();
}

TEST_CASE("two nodes of a host hear each other by their descriptors") {
  Two two;
  two.first.say();
  Node* const nodes[] = {two.first.node.get(), two.second.node.get()};
  test::run_by_descriptor(nodes, UvLoop::now() + kPatience, [&] { return two.done(); });
  two.check();
}

TEST_CASE("two nodes of a host hear each other on threads of the library") {
  Two two;
  for (Agent* agent : {&two.first, &two.second}) {
    agent->node->on_lan_message([agent](const LanMessage& message) {
      agent->heard.emplace_back(as_text(message.bytes));
      agent->say();
      // Whoever heard everything has also said it, but the other may wait for the last of it.
      if (agent->done() && agent->name == "a") agent->node->close();
    });
    REQUIRE(agent->node->start_thread().has_value());
  }
  REQUIRE(two.first.node->post([&](Node&) { two.first.say(); }).has_value());
  const Instant end = UvLoop::now() + kPatience;
  while (!two.first.closed && UvLoop::now() < end) ::poll(nullptr, 0, 1);
  two.first.node->stop_thread();
  two.second.node->stop_thread();
  CHECK(two.first.closed);
  two.check();
}

TEST_CASE("a port that somebody has for himself is told as an event, once for both families") {
  const auto taken4 = UdpSocket::bind(1, {}, true);
  REQUIRE(taken4.has_value());
  IpEndpoint same{};
  same.ip.v6 = true;
  same.port = (*taken4)->local().port;
  const auto taken6 = UdpSocket::bind(2, same, true);
  if (!taken6) return;  // without IPv6 there is nothing to take, and it may be busy
  NodeOptions options;
  options.lan.port = same.port;
  const auto node = Node::open(std::move(options)).value();
  int failed = 0;
  node->on_event([&](const NodeEvent& event) { failed += event.kind == NodeEvent::Kind::kListenFailed ? 1 : 0; });
  REQUIRE(node->join_lan("t"));
  REQUIRE(node->poll(Duration{0}).has_value());
  CHECK(failed == 1);
}

TEST_CASE("options of a local network that cannot work are refused by name") {
  const auto why = [](const LanOptions& lan) {
    NodeOptions options;
    options.lan = lan;
    const auto node = Node::open(std::move(options));
    return node ? std::string() : std::string(node.error().why);
  };
  CHECK(why({.port = 0}) == "lan.port is 0");
  CHECK(why({.application = std::string(kLanApplicationBytesMax + 1, 'a')}) == "lan.application is over 255 bytes");
  CHECK(why({.application = "\xff"}) == "lan.application is not UTF-8");
  CHECK(why({.application = std::string(kLanApplicationBytesMax, 'a')}).empty());
}

#ifdef __linux__
TEST_CASE("link-local addresses know their interface, and others have none") {
  const auto addresses = interface_addresses().value();
  for (const InterfaceAddress& address : addresses) {
    CHECK((address.scope != 0) == (address.ip.v6 && address.ip.is_link_local()));
  }
}
#endif

}  // namespace
}  // namespace p2pa::io
