// Messages to everybody on a local network: whole nodes, two networks, losses and adversaries.
#include <algorithm>
#include <catch2/catch.hpp>

#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

using Texts = std::vector<std::string>;

/// What a node hears on the topic "t".
std::shared_ptr<Texts> hear(World& world, NodeId node, const std::string& topic = "t") {
  auto heard = std::make_shared<Texts>();
  REQUIRE(world.node(node).join_lan(topic));
  world.node(node).on_lan_message([&world, node, heard](const LanMessage& message) {
    heard->emplace_back(as_text(message.bytes));
    world.note(std::to_string(node) + " heard " + heard->back());
  });
  world.run_for(milliseconds(1));  // it hears now
  return heard;
}

NodeId add(World& world, const std::string& address, NodeOptions options = {}) {
  return world.add_node(std::move(options), world.add_host({address}).value());
}

bool say(World& world, NodeId node, std::string_view text, std::string_view topic = "t") {
  return world.node(node).send_lan(topic, as_bytes(text)).has_value();
}

std::uint64_t dropped(World& world, NodeId node, LanCounters::Which which) {
  return world.node(node).lan_counters().dropped[which];
}

}  // namespace

TEST_CASE("three nodes on one network hear each other, and one on another does not") {
  for (const bool broadcast : {false, true}) {
    for_seeds(2, broadcast ? "lan, broadcast" : "lan, multicast", [&](World& world) {
      NodeOptions options;
      options.lan.broadcast = broadcast;
      const auto with = [&](const char* address) {
        NodeOptions copy;
        copy.lan = options.lan;
        return add(world, address, std::move(copy));
      };
      const NodeId nodes[] = {with("10.1.0.1"), with("10.1.0.2"), with("10.1.7.3"), with("10.2.0.1")};
      std::vector<std::shared_ptr<Texts>> heard;
      for (const NodeId node : nodes) heard.push_back(hear(world, node));
      for (const NodeId node : nodes) REQUIRE(say(world, node, std::to_string(node)));
      world.run_for(seconds(2));
      for (auto& texts : heard) std::ranges::sort(*texts);
      CHECK(*heard[0] == Texts{"1", "2"});
      CHECK(*heard[1] == Texts{"0", "2"});
      CHECK(*heard[2] == Texts{"0", "1"});
      CHECK(heard[3]->empty());
    });
  }
}

TEST_CASE("nodes of one host hear each other, and over two interfaces everything once") {
  for_seeds(2, "lan, one host", [](World& world) {
    const HostId one = world.add_host({"10.1.0.1", "fe80::1"}).value();
    const HostId two = world.add_host({"10.1.0.2", "fe80::2"}).value();
    const NodeId a = world.add_node({}, one), b = world.add_node({}, one), c = world.add_node({}, two);
    const auto heard_a = hear(world, a), heard_b = hear(world, b), heard_c = hear(world, c);
    for (int i = 0; i < 5; ++i) {
      REQUIRE(say(world, a, std::to_string(i)));
      world.run_for(milliseconds(100));
    }
    CHECK(heard_a->empty());
    CHECK(*heard_b == Texts{"0", "1", "2", "3", "4"});
    CHECK(*heard_c == *heard_b);
    CHECK(dropped(world, c, LanCounters::kDuplicate) == 5);
  });
}

TEST_CASE("what the network loses is lost, and nothing comes twice") {
  for_seeds(3, "lan, loss", [](World& world) {
    world.set_default_link({.delay = milliseconds(2), .jitter = milliseconds(3), .loss = 0.2, .duplicate = 0.2});
    const NodeId a = add(world, "10.1.0.1"), b = add(world, "10.1.0.2");
    const auto heard = hear(world, b);
    for (int i = 0; i < 200; ++i) {
      REQUIRE(say(world, a, std::to_string(i)));
      world.run_for(milliseconds(20));
    }
    world.run_for(seconds(2));
    Texts sorted = *heard;
    std::ranges::sort(sorted);
    CHECK(std::ranges::adjacent_find(sorted) == sorted.end());
    CHECK(heard->size() > 120);
    CHECK(heard->size() < 190);
  });
}

TEST_CASE("what was recorded is not heard again, also after both were started anew") {
  for_seeds(2, "lan, replay", [](World& world) {
    const NodeId a = add(world, "10.1.0.1"), b = add(world, "10.1.0.2");
    const HostId thief = world.add_host({"10.1.0.9"}).value();
    std::vector<Bytes> recorded;
    world.on_datagram([&](const Datagram& d) {
      if (d.to_port == 4010 && d.from == world.host(a) && d.to == world.host(b)) {
        recorded.emplace_back(d.bytes.begin(), d.bytes.end());
      }
      return true;
    });
    auto heard = hear(world, b);
    REQUIRE(say(world, a, "one"));
    world.run_for(seconds(1));
    REQUIRE(*heard == Texts{"one"});
    for (const NodeId restarted : {b, a}) {
      world.kill(restarted);
      world.restart(restarted, {});
      if (restarted == b) heard = hear(world, b);
      world.run_for(seconds(5));
      const auto old = recorded;
      for (const Bytes& bytes : old) world.inject(thief, 999, kNoHost, 4010, bytes);
      world.run_for(seconds(5));
      CHECK(heard->empty());
    }
    CHECK(dropped(world, b, LanCounters::kUnproven) > 0);
    REQUIRE(say(world, a, "two"));
    world.run_for(seconds(1));
    CHECK(*heard == Texts{"two"});
  });
}

TEST_CASE("a flood of forged messages leaves the others their voice") {
  for_seeds(2, "lan, flood", [](World& world) {
    const NodeId a = add(world, "10.1.0.1"), b = add(world, "10.1.0.2");
    const HostId attacker = world.add_host({"10.1.0.9"}).value();
    Bytes forged;
    world.on_datagram([&](const Datagram& d) {
      if (d.to_port == 4010 && d.from == world.host(a)) forged.assign(d.bytes.begin(), d.bytes.end());
      return true;
    });
    const auto heard = hear(world, b);
    REQUIRE(say(world, a, "first"));
    world.run_for(seconds(1));
    for (std::uint32_t i = 0; i < 1000; ++i) {
      for (std::uint32_t copy = 0; copy < 5; ++copy) {
        Bytes bytes = forged;
        bytes[42] = static_cast<std::uint8_t>(i);
        bytes[43] = static_cast<std::uint8_t>(i >> 8);
        bytes[44] = static_cast<std::uint8_t>(copy + 1);
        world.inject(attacker, 999, kNoHost, 4010, bytes);
      }
      if (i % 20 == 0) REQUIRE(say(world, a, std::to_string(i)));
      world.run_for(milliseconds(1));
    }
    world.run_for(seconds(1));
    CHECK(heard->size() == 51);
    CHECK(dropped(world, b, LanCounters::kBadSignature) <= 110);  // of 5000: 50 at once and 50 a second
    CHECK(dropped(world, b, LanCounters::kRateLimited) > 4000);
  });
}

TEST_CASE("rules, applications and private networks part whom a network joins") {
  for_seeds(1, "lan, rules", [](World& world) {
    const auto private_options = [] {
      NodeOptions options;
      options.network_key = PreSharedKey::from_bytes(Bytes(PreSharedKey::kSize, 5));
      return options;
    };
    NodeOptions other;
    other.lan.application = "another";
    const NodeId a = add(world, "10.1.0.1"), b = add(world, "10.1.0.2"), c = add(world, "10.1.0.3", std::move(other));
    const NodeId d = add(world, "10.1.0.4", private_options()), e = add(world, "10.1.0.5", private_options());
    const NodeId f = add(world, "10.1.0.6"), g = add(world, "10.1.0.7"), h = add(world, "10.1.0.8");
    std::vector<std::shared_ptr<Texts>> heard;
    for (const NodeId node : {a, b, c, d, e, f, g, h}) heard.push_back(hear(world, node));
    REQUIRE(world.node(f).deny(world.node(a).id().to_string()));
    REQUIRE(world.node(g).deny("10.1.0.0/30"));
    REQUIRE(world.node(h).deny("/p2pagents/lan/1"));
    REQUIRE(say(world, a, "from a"));
    REQUIRE(say(world, d, "from d"));
    world.run_for(seconds(2));
    CHECK(*heard[1] == Texts{"from a"});
    CHECK(*heard[4] == Texts{"from d"});
    for (const std::size_t deaf : {0u, 2u, 3u, 5u, 6u, 7u}) CHECK(heard[deaf]->empty());
    for (const NodeId node : {f, g, h}) CHECK(dropped(world, node, LanCounters::kGated) > 0);
  });
}

TEST_CASE("a closed node says and hears nothing any more, and its port is free") {
  for_seeds(1, "lan, close", [](World& world) {
    const NodeId a = add(world, "10.1.0.1"), b = add(world, "10.1.0.2");
    const auto heard = hear(world, b);
    REQUIRE(say(world, a, "one"));
    world.run_for(seconds(1));
    world.node(b).close();
    CHECK(world.node(b).join_lan("t").error().code == Code::kClosed);
    world.run_for(seconds(1));
    REQUIRE(say(world, a, "two"));
    world.run_for(seconds(1));
    CHECK(*heard == Texts{"one"});
    CHECK(world.node(b).send_lan("t", {}).error().code == Code::kClosed);
    CHECK(world.node(b).leave_lan("t").error().code == Code::kNotFound);
  });
}

TEST_CASE("what cannot be bound is told once") {
  World world(1, "lan, taken port");
  const HostId host = world.add_host({"10.1.0.1", "fe80::1"}).value();
  NodeOptions taken;
  taken.listen = {Multiaddr::parse("/ip4/0.0.0.0/udp/4010/quic-v1").value(),
                  Multiaddr::parse("/ip6/::/udp/4010/quic-v1").value()};
  world.add_node(std::move(taken), host);
  world.run_for(milliseconds(1));
  const NodeId node = world.add_node({}, host);
  const Watch watch(world, node);
  REQUIRE(world.node(node).join_lan("t"));
  world.run_for(milliseconds(1));
  CHECK(watch.count(NodeEvent::Kind::kListenFailed) == 1);
}
