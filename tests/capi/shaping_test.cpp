#include "support.hpp"

using namespace p2pa::test;

namespace {

constexpr std::string_view kSession = "/ip4/127.0.0.1/udp/0/p2pa-udp";

void at_session(p2pa_node_options& o) { o.listen = kSession.data(), o.listen_size = kSession.size(); }

void know(Node& client, Node& server) {
  const std::string address = server.address();
  REQUIRE(p2pa_node_add_address(*client, server.peer(), address.data(), address.size(), nullptr) == P2PA_OK);
}

}  // namespace

TEST_CASE("a rate limit is what was set, until it is cleared") {
  Node node;
  std::uint64_t rate = 0, burst = 0;
  const auto get = [&] { return p2pa_node_rate_limit(*node, "/a/1", 4, P2PA_DIRECTION_INBOUND, &rate, &burst); };
  CHECK(get() == P2PA_E_NOT_FOUND);
  REQUIRE(p2pa_node_set_rate_limit(*node, "/a/1", 4, P2PA_DIRECTION_INBOUND, 1'000'000, 70'000) == P2PA_OK);
  REQUIRE(get() == P2PA_OK);
  CHECK(rate == 1'000'000);
  CHECK(burst == 70'000);
  CHECK(p2pa_node_rate_limit(*node, "/a/1", 4, P2PA_DIRECTION_OUTBOUND, &rate, &burst) == P2PA_E_NOT_FOUND);
  REQUIRE(p2pa_node_clear_rate_limit(*node, "/a/1", 4, P2PA_DIRECTION_INBOUND) == P2PA_OK);
  CHECK(p2pa_node_clear_rate_limit(*node, "/a/1", 4, P2PA_DIRECTION_INBOUND) == P2PA_E_NOT_FOUND);
}

TEST_CASE("what is limited to almost nothing waits, and goes when the limit is cleared") {
  Node client, server;
  know(client, server);
  REQUIRE(p2pa_node_serve(*server, "echo", 4, P2PA_SERVE_UNARY) == P2PA_OK);
  REQUIRE(p2pa_node_set_rate_limit(*client, "", 0, P2PA_DIRECTION_OUTBOUND, 1, 20'000) == P2PA_OK);
  const std::string large(1 << 20, 'x');
  p2pa_op op{};
  REQUIRE(p2pa_node_call(*client, server.peer(), "echo", 4, bytes(large), large.size(), nullptr, &op) == P2PA_OK);
  REQUIRE(run_until({&client, &server}, [&] { return client.count(P2PA_EVENT_CONNECTED) == 1; }));
  for (int i = 0; i < 200; ++i) client.run(), server.run();
  CHECK(server.count(P2PA_EVENT_REQUEST) == 0);
  REQUIRE(p2pa_node_clear_rate_limit(*client, "", 0, P2PA_DIRECTION_OUTBOUND) == P2PA_OK);
  REQUIRE(run_until({&client, &server}, [&] { return server.count(P2PA_EVENT_REQUEST) == 1; }));
  CHECK(server.of(P2PA_EVENT_REQUEST)[0].data == large);
}

TEST_CASE("calls and streams have a class, and calls may go packed") {
  Node client, server;
  know(client, server);
  REQUIRE(p2pa_node_serve(*server, "echo", 4, P2PA_SERVE_UNARY) == P2PA_OK);
  p2pa_call_options options;
  p2pa_call_options_init(&options);
  options.flags = P2PA_CALL_COMPRESS;
  options.priority = P2PA_PRIORITY_BULK;
  const std::string text(100'000, 'x');
  p2pa_op op{};
  REQUIRE(p2pa_node_call(*client, server.peer(), "echo", 4, bytes(text), text.size(), &options, &op) == P2PA_OK);
  REQUIRE(run_until({&client, &server}, [&] { return server.count(P2PA_EVENT_REQUEST) == 1; }));
  const Seen request = server.of(P2PA_EVENT_REQUEST)[0];
  CHECK(request.data == text);
  CHECK(p2pa_call_set_priority(request.event.call, 4) == P2PA_E_INVALID_ARGUMENT);
  CHECK(p2pa_call_set_priority(request.event.call, P2PA_PRIORITY_CONTROL) == P2PA_OK);
  REQUIRE(p2pa_call_reply(request.event.call, bytes(text), text.size()) == P2PA_OK);
  REQUIRE(run_until({&client, &server}, [&] { return client.completion(op) != nullptr; }));
  CHECK(client.completion(op)->data == text);
  options.priority = 4;
  CHECK(p2pa_node_call(*client, server.peer(), "echo", 4, nullptr, 0, &options, &op) == P2PA_E_INVALID_ARGUMENT);
}

TEST_CASE("messages of every kind of delivery go over a session, and say which") {
  Node client(at_session), server(at_session);
  know(client, server);
  p2pa_op op{};
  REQUIRE(p2pa_node_dial_peer(*client, server.peer(), &op) == P2PA_OK);
  REQUIRE(run_until({&client, &server}, [&] { return client.completion(op) != nullptr; }));
  REQUIRE(client.completion(op)->event.status == P2PA_OK);
  p2pa_session_message_options options;
  p2pa_session_message_options_init(&options);
  options.channel = 7;
  options.lifetime_us = 10'000'000;
  for (const std::uint32_t delivery : {P2PA_DELIVERY_UNRELIABLE, P2PA_DELIVERY_SEQUENCED, P2PA_DELIVERY_RELIABLE,
                                       P2PA_DELIVERY_ORDERED}) {
    options.delivery = delivery;
    const std::string text = std::to_string(delivery);
    for (options.correction = 0; options.correction < 2; ++options.correction) {
      REQUIRE(p2pa_node_send_session_message(*client, server.peer(), bytes(text), text.size(), &options) == P2PA_OK);
    }
  }
  REQUIRE(run_until({&client, &server}, [&] { return server.count(P2PA_EVENT_SESSION_MESSAGE) >= 7; }));
  for (const Seen& seen : server.of(P2PA_EVENT_SESSION_MESSAGE)) {
    CHECK(seen.data == std::to_string(seen.event.delivery));
    CHECK(seen.event.session_channel == 7);
    CHECK(std::memcmp(&seen.event.peer, client.peer(), sizeof(p2pa_peer)) == 0);
  }
}
