#include <algorithm>
#include <string>

#include <catch2/catch.hpp>

#include "support.hpp"
#include "swarm/backoff.hpp"
#include "swarm/black_hole.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

/// The end of a dial, once it came.
struct Dialed {
  bool ended = false, connected = false;
  Error error{Code::kOk, 0, ""};
  DialReport report;
};

DialReportCallback into(Dialed& dialed, World& world) {
  return [&dialed, &world](Result<ConnectionInfo> result, const DialReport& report) {
    dialed = {true, result.has_value(), result ? Error{Code::kOk, 0, ""} : result.error(), report};
    world.note(report.to_string());
  };
}

template <class Where>
Dialed dial(World& world, NodeId from, const Where& where, DialOptions options = {}) {
  Dialed dialed;
  world.node(from).dial(where, options, into(dialed, world));
  world.run_until([&] { return dialed.ended; }, minutes(1));
  return dialed;
}

Multiaddr address(const std::string& text) { return *Multiaddr::parse(text); }

/// Listens on QUIC and TCP.
NodeOptions both() {
  NodeOptions options = listening();
  options.listen.push_back(address("/ip4/0.0.0.0/tcp/4001"));
  return options;
}

const std::string kDead = "/ip4/11.9.9.9/udp/4001/quic-v1";

}  // namespace

TEST_CASE("a report tells what was tried in which order, when, and how far it got") {
  for_seeds(1, "report of a race", [](World& world) {
    world.set_default_link({.delay = milliseconds(20)});
    const NodeId server = world.add_node(both());
    const NodeId client = world.add_node({});
    world.run_for(seconds(1));
    Node& node = world.node(client);
    const PeerId peer = world.node(server).id();
    const Multiaddr tcp = address("/ip4/" + world.addresses(world.host(server)).front() + "/tcp/4001");
    REQUIRE(node.add_address(peer, tcp));
    REQUIRE(node.add_address(peer, address("/ip4/11.0.0.1/udp/4001/webrtc-direct")));
    REQUIRE(node.add_address(peer, address(kDead)));
    Watch events(world, client);
    const Dialed dialed = dial(world, client, peer);
    REQUIRE(dialed.connected);
    CHECK(dialed.report.peer == peer);
    const auto& attempts = dialed.report.attempts;
    REQUIRE(attempts.size() == 3);
    CHECK(attempts[0].stage == DialStage::kSkippedNoTransport);
    CHECK(attempts[1].address == address(kDead));
    CHECK(attempts[1].stage == DialStage::kConnecting);
    CHECK(attempts[1].error.code == Code::kCancelled);
    CHECK(attempts[2].address == tcp);
    CHECK(attempts[2].started == milliseconds(250));
    CHECK(attempts[2].stage == DialStage::kConnected);
    CHECK(attempts[2].took >= milliseconds(80));
    CHECK(dialed.report.took == attempts[2].started + attempts[2].took);
    // The node's event has the same.
    const NodeEvent* event = events.last(NodeEvent::Kind::kDialed);
    REQUIRE(event != nullptr);
    CHECK(event->peer == peer);
    CHECK(event->address == tcp);
    CHECK(event->connection != 0);
    REQUIRE(event->dial != nullptr);
    CHECK(event->dial->attempts.size() == 3);
    // Who is connected needs no dial.
    CHECK(dial(world, client, peer).report.attempts.empty());
    CHECK(events.count(NodeEvent::Kind::kDialed) == 1);
  });
}

TEST_CASE("the report of a dial that failed says of each address why, and so does the node's event") {
  for_seeds(1, "report of a failure", [](World& world) {
    const NodeId server = world.add_node(listening());
    const NodeId client = world.add_node({});
    world.run_for(seconds(1));
    const PeerId nobody = KeyPair::from_seed(Bytes(32, 99)).peer_id();
    const Multiaddr wrong = world.address(server).without_peer_id();
    REQUIRE(world.node(client).add_address(nobody, wrong));
    REQUIRE(world.node(client).add_address(nobody, address("/ip4/11.9.9.9/tcp/1")));
    Watch events(world, client);
    const Dialed dialed = dial(world, client, nobody);
    CHECK_FALSE(dialed.connected);
    CHECK(dialed.error.code == Code::kUnreachable);
    CHECK(dialed.error.detail == 2);
    REQUIRE(dialed.report.attempts.size() == 2);
    CHECK(dialed.report.attempts[0].stage == DialStage::kSecuring);
    CHECK(dialed.report.attempts[0].error.code == Code::kPeerIdMismatch);
    CHECK(dialed.report.attempts[1].stage == DialStage::kConnecting);
    const NodeEvent* event = events.last(NodeEvent::Kind::kDialFailed);
    REQUIRE(event != nullptr);
    CHECK(event->peer == nobody);
    CHECK(event->error.code == Code::kUnreachable);
    CHECK(std::string(event->error.why) != "");
    REQUIRE(event->dial != nullptr);
    CHECK(event->dial->to_string() == dialed.report.to_string());
  });
}

TEST_CASE("an address that failed is skipped for a while, with the reason of then, and then tried again") {
  enum class Way { kWait, kForce, kName };
  const Way way = GENERATE(Way::kWait, Way::kForce, Way::kName);
  for_seeds(1, "back-off", [way](World& world) {
    NodeOptions options;
    options.handshake_timeout = seconds(2);
    const NodeId client = world.add_node(std::move(options));
    const NodeId server = world.add_node(listening());
    world.run_for(seconds(1));
    const PeerId peer = world.node(server).id();
    introduce(world, client, server);
    world.partition(world.host(client), world.host(server));
    REQUIRE_FALSE(dial(world, client, peer).connected);
    world.heal(world.host(client), world.host(server));

    const Instant begin = world.now();
    const Dialed skipped = dial(world, client, peer);
    CHECK_FALSE(skipped.connected);
    CHECK(world.now() == begin);
    CHECK(skipped.error.code == Code::kUnreachable);
    REQUIRE(skipped.report.attempts.size() == 1);
    CHECK(skipped.report.attempts[0].stage == DialStage::kSkippedBackoff);
    CHECK(skipped.report.attempts[0].error.code == Code::kTimeout);

    if (way == Way::kWait) world.run_for(swarm::kHostBackoff);
    const Multiaddr named = world.address(server);
    CHECK((way == Way::kName ? dial(world, client, named)
                             : dial(world, client, peer, {.force = way == Way::kForce})).connected);
    // A success clears it.
    world.node(client).disconnect(peer);
    world.run_for(milliseconds(500));
    CHECK(dial(world, client, peer).connected);
  });
}

TEST_CASE("a network that swallows UDP is learned of, and QUIC is skipped from then on, until it passes again") {
  for_seeds(1, "black hole", [](World& world) {
    bool swallow = true;
    world.on_datagram([&](const Datagram&) { return !swallow; });
    NodeOptions options;
    options.handshake_timeout = seconds(2);
    const NodeId client = world.add_node(std::move(options));
    const NodeId server = world.add_node(both());
    world.run_for(seconds(1));
    Node& node = world.node(client);
    const PeerId peer = world.node(server).id();
    const std::string ip = world.addresses(world.host(server)).front();
    const Multiaddr quic = address("/ip4/" + ip + "/udp/4001/quic-v1"), tcp = address("/ip4/" + ip + "/tcp/4001");
    REQUIRE(node.add_address(peer, quic));
    REQUIRE(node.add_address(peer, tcp));
    std::vector<Dialed> failed(swarm::kBlackHoleTries);
    for (std::size_t i = 0; i < failed.size(); ++i) {
      node.dial(address("/ip4/11.9.9." + std::to_string(i) + "/udp/4001/quic-v1"), {}, into(failed[i], world));
    }
    world.run_for(seconds(10));
    REQUIRE(std::ranges::all_of(failed, [](const Dialed& d) { return d.ended && !d.connected; }));

    const Dialed dialed = dial(world, client, peer);
    REQUIRE(dialed.connected);
    REQUIRE(dialed.report.attempts.size() == 2);
    CHECK(dialed.report.attempts[0].address == quic);
    CHECK(dialed.report.attempts[0].stage == DialStage::kSkippedBlackHole);
    CHECK(dialed.report.attempts[1].address == tcp);
    CHECK(dialed.report.attempts[1].started == Duration{});  // no head start for what is not tried

    // A dial of just that address is a probe, and its success ends it.
    node.disconnect(peer);
    world.run_for(seconds(1));
    swallow = false;
    REQUIRE(dial(world, client, quic.with_peer_id(peer)).connected);
    node.disconnect(peer);
    world.run_for(seconds(1));
    const Dialed again = dial(world, client, peer);
    REQUIRE(again.connected);
    CHECK(again.report.attempts[0].address == quic);
    CHECK(again.report.attempts[0].stage == DialStage::kConnected);
  });
}

TEST_CASE("in another network what was learned in the last one is forgotten") {
  for_seeds(1, "moved", [](World& world) {
    NodeOptions options;
    options.handshake_timeout = seconds(2);
    const NodeId client = world.add_node(std::move(options));
    const NodeId server = world.add_node(listening());
    world.run_for(seconds(1));
    const PeerId peer = world.node(server).id();
    introduce(world, client, server);
    world.partition(world.host(client), world.host(server));
    REQUIRE_FALSE(dial(world, client, peer).connected);
    world.heal(world.host(client), world.host(server));
    REQUIRE_FALSE(dial(world, client, peer).connected);
    REQUIRE(world.change_address(world.host(client), "12.1.1.1"));
    world.tell_interfaces(world.host(client));
    world.run_for(milliseconds(1));
    CHECK(dial(world, client, peer).connected);
  });
}

TEST_CASE("what a peer says of its private addresses is followed in its subnet only") {
  const auto run = [](const std::string& other_host, DialPrivate dial_private) {
    bool found = false;
    for_seeds(1, "private addresses", [&](World& world) {
      const HostId host = *world.add_host({"10.7.0.1"});
      const HostId client_host = *world.add_host({other_host});
      const NodeId server = world.add_node(both(), host);
      NodeOptions options;
      options.dial_private = dial_private;
      options.handshake_timeout = seconds(2);
      const NodeId client = world.add_node(std::move(options), client_host);
      world.run_for(seconds(1));
      const PeerId peer = world.node(server).id();
      // The host gave one address; identify brings the other.
      REQUIRE(dial(world, client, address("/ip4/10.7.0.1/tcp/4001").with_peer_id(peer)).connected);
      world.run_for(seconds(1));
      world.node(client).disconnect(peer);
      world.run_for(seconds(1));
      const Dialed dialed = dial(world, client, peer);
      REQUIRE(dialed.connected);
      const auto& attempts = dialed.report.attempts;
      found = std::ranges::count(attempts, DialStage::kSkippedPrivate, &DialAttempt::stage) == 0;
      CHECK(attempts.size() == 2);
    });
    return found;
  };
  CHECK(run("10.7.0.2", DialPrivate::kSameSubnet));
  CHECK_FALSE(run("10.8.0.2", DialPrivate::kSameSubnet));
  CHECK(run("10.8.0.2", DialPrivate::kAll));
  CHECK_FALSE(run("10.7.0.2", DialPrivate::kNone));
}
