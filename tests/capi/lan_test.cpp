#include "support.hpp"

using namespace p2pa::test;

namespace {

/// An application that no other run of this test has, at a port of its own.
struct Network {
  Network() {
    std::uint8_t key[96];
    std::size_t size = sizeof key;
    REQUIRE(p2pa_key_generate(key, &size) == P2PA_OK);
    port = 20'000 + (key[size - 1] | key[size - 2] << 8) % 10'000;
    for (std::size_t i = size - 16; i < size; ++i) application += std::to_string(key[i]);
  }
  void operator()(p2pa_node_options& o) const {
    o.lan_application = application.data();
    o.lan_application_size = application.size();
    o.lan_port = port;
  }
  std::string application;
  std::uint32_t port;
};

std::int32_t say(Node& node, const std::string& text, std::string_view topic = "t") {
  return p2pa_node_send_lan(*node, topic.data(), topic.size(), bytes(text), text.size());
}

}  // namespace

TEST_CASE("a message on the local network is an event of all that joined its topic, with who signed it") {
  const Network network;
  Node a([&](p2pa_node_options& o) { network(o); }), b([&](p2pa_node_options& o) { network(o); });
  REQUIRE(p2pa_node_join_lan(*a, "t", 1) == P2PA_OK);
  REQUIRE(p2pa_node_join_lan(*b, "t", 1) == P2PA_OK);
  a.run(), b.run();
  REQUIRE(say(a, "hello") == P2PA_OK);
  REQUIRE(run_until({&a, &b}, [&] { return b.count(P2PA_EVENT_LAN_MESSAGE) == 1; }));
  const Seen seen = b.of(P2PA_EVENT_LAN_MESSAGE)[0];
  CHECK(seen.data == "hello");
  CHECK(std::memcmp(&seen.event.peer, a.peer(), sizeof(p2pa_peer)) == 0);
  CHECK(a.count(P2PA_EVENT_LAN_MESSAGE) == 0);
  CHECK(p2pa_node_leave_lan(*b, "t", 1) == P2PA_OK);
  CHECK(p2pa_node_leave_lan(*b, "t", 1) == P2PA_E_NOT_FOUND);
}

TEST_CASE("what cannot be said on a local network is refused") {
  Node node;
  CHECK(say(node, "x", "") == P2PA_E_INVALID_ARGUMENT);
  CHECK(say(node, "x", std::string(65, 't')) == P2PA_E_INVALID_ARGUMENT);
  CHECK(say(node, std::string(961, 'x')) == P2PA_E_MESSAGE_TOO_LARGE);
}

TEST_CASE("reasons to drop what comes from a local network have names and counters") {
  Node node;
  std::uint64_t dropped = 1;
  std::uint32_t reason = 0;
  for (; p2pa_node_lan_drops(*node, reason, &dropped) == P2PA_OK; ++reason) {
    CHECK(dropped == 0);
    CHECK(std::strcmp(p2pa_lan_drop_name(reason), "unknown") != 0);
  }
  CHECK(reason == 11);
  CHECK(p2pa_node_lan_drops(*node, reason, &dropped) == P2PA_E_NOT_FOUND);
  CHECK(std::strcmp(p2pa_lan_drop_name(reason), "unknown") == 0);
}

TEST_CASE("options of a local network that cannot be are refused") {
  p2pa_node_options options;
  p2pa_node_options_init(&options);
  const auto refused = [&] {
    p2pa_node node{};
    return p2pa_node_open(&options, &node, nullptr) == P2PA_E_INVALID_ARGUMENT;
  };
  options.lan_port = 65'536;
  CHECK(refused());
  options.lan_port = 0;
  options.lan_broadcast = 2;
  CHECK(refused());
  options.lan_broadcast = 0;
  options.lan_application_size = 1;
  CHECK(refused());
  const std::string over(256, 'a');
  options.lan_application = over.data();
  options.lan_application_size = over.size();
  CHECK(refused());
}
