// Nodes over our own UDP sessions in the world: round trips, messages, silence, and changes of address.

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

constexpr Duration kRtt = milliseconds(100);
constexpr const char* kListen = "/ip4/0.0.0.0/udp/4001/p2pa-udp";

NodeOptions over_udp() { return listening(kListen); }

NodeOptions quick(NodeOptions options) {
  options.idle_timeout = seconds(10);
  options.keep_alive = seconds(3);
  return options;
}

Duration time_to_answer(World& world, const Pair& pair) {
  const Instant begin = world.now();
  const Answer answer = call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes("hello"));
  CHECK(answer.ok());
  CHECK(as_text(answer.bytes) == "hello");
  return answer.at - begin;
}

void disturb(World& world) {
  world.set_default_link({.delay = milliseconds(20),
                          .jitter = milliseconds(5),
                          .loss = 0.03,
                          .duplicate = 0.01,
                          .reorder = 0.02,
                          .reorder_delay = milliseconds(10)});
}

SessionMessageOptions by(Delivery delivery, std::uint8_t channel = 0) {
  SessionMessageOptions options;
  options.delivery = delivery;
  options.channel = channel;
  return options;
}

/// What a node was sent, by kind of delivery.
using Inbox = std::map<Delivery, std::vector<std::string>>;

void fill(Node& node, Inbox& inbox) {
  node.on_session_message([&inbox](const PeerId&, const SessionMessage& message) {
    inbox[message.delivery].emplace_back(as_text(message.bytes));
  });
}

}  // namespace

TEST_CASE("the first answer over a UDP session takes three round trips, the next one", "[udp]") {
  for_seeds(2, "cold call over a session", [](World& world) {
    world.set_default_link({.delay = kRtt / 2});
    const Pair pair = make_pair(world, over_udp());
    CHECK(time_to_answer(world, pair).us() == (kRtt * 3).us());
    CHECK(time_to_answer(world, pair).us() == kRtt.us());
    CHECK(world.node(pair.client).connections().at(0).remote_address.has(Multiaddr::Protocol::kP2paUdp));
  });
}

TEST_CASE("large calls in both directions come whole over a session and a bad network", "[udp]") {
  for_seeds(3, "bulk over a session", [](World& world) {
    disturb(world);
    const Pair pair = make_pair(world, over_udp());
    std::vector<std::shared_ptr<Answer>> answers;
    for (std::uint32_t i = 0; i < 8; ++i) {
      answers.push_back(call(world, pair.client, pair.server_id, "echo", pattern(200'000 + i, i)));
    }
    REQUIRE(world.run_until(
        [&] { return std::ranges::all_of(answers, [](const auto& a) { return a->ends > 0; }); }, minutes(5)));
    for (std::uint32_t i = 0; i < 8; ++i) {
      CHECK(answers[i]->ok());
      CHECK(answers[i]->bytes == pattern(200'000 + i, i));
    }
    CHECK(world.node(pair.client).connections().size() == 1);
  });
}

TEST_CASE("a peer that fell silent is lost after the idle time-out, and found again over a session", "[udp]") {
  for_seeds(2, "silence over a session", [](World& world) {
    const Pair pair = make_pair(world, quick(over_udp()), quick({}));
    const Watch server_events(world, pair.server), client_events(world, pair.client);
    time_to_answer(world, pair);
    world.partition(world.host(pair.server), world.host(pair.client));
    world.run_for(seconds(14));
    for (const Watch* events : {&server_events, &client_events}) {
      REQUIRE(events->count(NodeEvent::Kind::kDisconnected) == 1);
      CHECK(events->last(NodeEvent::Kind::kDisconnected)->error.code == Code::kConnectionLost);
    }
    world.heal(world.host(pair.server), world.host(pair.client));
    time_to_answer(world, pair);
  });
}

TEST_CASE("a node that listens on everything is dialed over QUIC", "[udp]") {
  for_seeds(1, "QUIC before a session", [](World& world) {
    NodeOptions server = listening();
    server.listen.push_back(*Multiaddr::parse("/ip4/0.0.0.0/udp/4002/p2pa-udp"));
    const Pair pair = make_pair(world, std::move(server));
    REQUIRE(world.run_until([&] { return world.node(pair.server).addresses().size() == 2; }, seconds(1)));
    for (const Multiaddr& address : world.node(pair.server).addresses()) {
      REQUIRE(world.node(pair.client).add_address(pair.server_id, address));
    }
    time_to_answer(world, pair);
    CHECK(world.node(pair.client).connections().at(0).remote_address.has(Multiaddr::Protocol::kQuicV1));
    // Messages need a session, of which there is none.
    CHECK(world.node(pair.client).send_session_message(pair.server_id, as_bytes("x"), {}).error().code ==
          Code::kNotFound);
  });
}

TEST_CASE("messages keep what their kind of delivery promises, over a bad network", "[udp]") {
  for_seeds(3, "messages of all kinds", [](World& world) {
    disturb(world);
    const Pair pair = make_pair(world, over_udp());
    Node& client = world.node(pair.client);
    Inbox inbox;
    fill(world.node(pair.server), inbox);
    REQUIRE(connect(world, pair.client, pair.server_id));
    std::vector<std::string> sent;
    constexpr std::size_t kMessages = 200;
    for (std::size_t i = 0; i < kMessages; ++i) {
      sent.push_back(std::to_string(1000 + i) + std::string(i * 10, 'x'));
      for (const auto kind : {Delivery::kUnreliable, Delivery::kSequenced, Delivery::kReliable, Delivery::kOrdered}) {
        REQUIRE(client.send_session_message(pair.server_id, as_bytes(sent.back()), by(kind, 3)));
      }
      world.run_for(milliseconds(40));
    }
    world.run_for(seconds(10));
    CHECK(inbox[Delivery::kOrdered] == sent);
    std::ranges::sort(inbox[Delivery::kReliable]);
    CHECK(inbox[Delivery::kReliable] == sent);
    CHECK(std::ranges::is_sorted(inbox[Delivery::kSequenced]));
    for (const auto kind : {Delivery::kUnreliable, Delivery::kSequenced}) {
      CHECK(inbox[kind].size() > kMessages / 2);
      CHECK(inbox[kind].size() < kMessages);
    }
    CHECK(client.send_session_message(pair.server_id, {}, by(Delivery::kReliable, kSessionChannels)).error().code ==
          Code::kInvalidArgument);
    const Bytes large(kSessionMessageBytesMax + 1);
    CHECK(client.send_session_message(pair.server_id, large, {}).error().code == Code::kMessageTooLarge);
  });
}

TEST_CASE("a message whose time is over is not sent, and what is urgent goes first", "[udp]") {
  for_seeds(1, "deadlines and priorities", [](World& world) {
    world.set_default_link({.delay = milliseconds(20), .rate_bits_per_s = 1'000'000});
    const Pair pair = make_pair(world, over_udp());
    Node& client = world.node(pair.client);
    Inbox inbox;
    fill(world.node(pair.server), inbox);
    REQUIRE(connect(world, pair.client, pair.server_id));
    for (char name = 'a'; name <= 'd'; ++name) {  // 0.8 s each
      const std::string text(100'000, name);
      REQUIRE(client.send_session_message(pair.server_id, as_bytes(text), by(Delivery::kReliable)));
    }
    SessionMessageOptions hasty = by(Delivery::kReliable);
    hasty.lifetime = milliseconds(100);
    hasty.priority = -1;
    REQUIRE(client.send_session_message(pair.server_id, as_bytes("hasty"), hasty));
    SessionMessageOptions urgent = by(Delivery::kReliable);
    urgent.priority = 1;
    REQUIRE(client.send_session_message(pair.server_id, as_bytes("urgent"), urgent));
    world.run_for(seconds(10));
    const auto& got = inbox[Delivery::kReliable];
    REQUIRE(got.size() == 5);
    CHECK(got.front() == "urgent");
    CHECK(std::ranges::find(got, "hasty") == got.end());
  });
}

TEST_CASE("messages without end starve no stream", "[udp]") {
  for_seeds(2, "messages without end", [](World& world) {
    world.set_default_link({.rate_bits_per_s = 10'000'000});
    const Pair pair = make_pair(world, over_udp());
    Node& client = world.node(pair.client);
    Inbox inbox;
    fill(world.node(pair.server), inbox);
    REQUIRE(connect(world, pair.client, pair.server_id));
    const Bytes message(10'000, 7);
    const auto keep_full = [&] {
      while (client.send_session_message(pair.server_id, message, by(Delivery::kReliable))) {
      }
    };
    keep_full();
    const auto answer = call(world, pair.client, pair.server_id, "echo", pattern(100'000, 1));
    REQUIRE(world.run_until([&] { keep_full(); return answer->ends == 1; }, seconds(20)));
    CHECK(answer->ok());
    CHECK(inbox[Delivery::kReliable].size() > 10);
  });
}

TEST_CASE("messages keep to the limits of rates", "[udp]") {
  for_seeds(1, "limited messages", [](World& world) {
    const Pair pair = make_pair(world, over_udp());
    Node& client = world.node(pair.client);
    Inbox inbox;
    fill(world.node(pair.server), inbox);
    REQUIRE(connect(world, pair.client, pair.server_id));
    constexpr RateLimit kLimit{.bytes_per_second = 50'000, .burst_bytes = 5'000};
    REQUIRE(client.set_rate_limit("", Direction::kOutbound, kLimit));
    const std::string text(1000, 'x');
    for (int i = 0; i < 400; ++i) {
      REQUIRE(client.send_session_message(pair.server_id, as_bytes(text), by(Delivery::kReliable)));
    }
    world.run_for(seconds(4));
    CHECK(inbox[Delivery::kReliable].size() > 170);
    CHECK(inbox[Delivery::kReliable].size() < 210);
    world.run_for(seconds(8));
    CHECK(inbox[Delivery::kReliable].size() == 400);
  });
}

TEST_CASE("what a node reported as sent over a session arrives although it closes at once", "[udp]") {
  const std::string text(GENERATE(std::size_t{10}, std::size_t{100'000}), 'x');
  for_seeds(2, "message and close over a session", [&](World& world) {
    world.set_default_link({.delay = milliseconds(20), .loss = 0.02});
    const Pair pair = make_pair(world, over_udp());
    Node& client = world.node(pair.client);
    Inbox inbox;
    fill(world.node(pair.server), inbox);
    REQUIRE(connect(world, pair.client, pair.server_id));
    REQUIRE(client.send_session_message(pair.server_id, as_bytes(text), by(Delivery::kOrdered)));
    client.close();
    REQUIRE(world.run_until([&] { return client.closed(); }, seconds(30)));
    world.run_for(seconds(1));
    CHECK(inbox[Delivery::kOrdered] == std::vector{text});
  });
}
