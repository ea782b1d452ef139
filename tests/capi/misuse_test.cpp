#include <cstdio>

#include "every_function.hpp"

using namespace p2pa::test;

namespace {

std::size_t exported_functions() {
  std::size_t count = 0;
  FILE* list = std::fopen(P2PA_SOURCE_DIR "/tests/abi/functions.txt", "r");
  REQUIRE(list != nullptr);
  char line[256];
  while (std::fgets(line, sizeof line, list) != nullptr) count += std::strncmp(line, "p2pa_", 5) == 0;
  std::fclose(list);
  return count;
}
}  // namespace

TEST_CASE("no function is forgotten here") {
  // version, abi_version, status_name, status_text, peer_parse, peer_text, address_peer, key_generate,
  // key_peer, event_name, limit_name, drop_name, lan_drop_name, dial_stage_name, event_release, event_dial_attempt,
  // node_open: seventeen without a handle.
  CHECK(every_function().size() + 17 == exported_functions());
}

TEST_CASE("a handle of nothing, of nobody and of something else is stale") {
  Node node, gone_node;
  Arguments stale;
  stale.peer = *node.peer();
  const std::uint64_t foreign = GENERATE(std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0},
                                         std::uint64_t{1} << 48, std::uint64_t{4097} << 48 | 1,
                                         std::uint64_t{4096} << 48 | 1);
  stale.node.v = stale.op.v = stale.call.v = stale.stream.v = foreign;
  for (const Function& function : every_function()) {
    INFO(function.name);
    CHECK(function.run(stale) == P2PA_E_STALE_HANDLE);
  }
}

TEST_CASE("a handle of one kind is no handle of another") {
  Node node;
  p2pa_op op{};
  p2pa_call call{};
  REQUIRE(p2pa_node_ping(*node, node.peer(), &op) == P2PA_OK);
  REQUIRE(p2pa_node_call_open(*node, node.peer(), "m", 1, nullptr, &call) == P2PA_OK);
  Arguments crossed;
  crossed.peer = *node.peer();
  crossed.node.v = op.v;
  crossed.op.v = call.v;
  crossed.call.v = op.v;
  crossed.stream.v = (*node).v;
  for (const Function& function : every_function()) {
    INFO(function.name);
    CHECK(function.run(crossed) == P2PA_E_STALE_HANDLE);
  }
}

TEST_CASE("handles of a freed node are stale, also when another node has its place") {
  Arguments stale;
  {
    Node node;
    stale.node = *node;
    stale.peer = *node.peer();
    REQUIRE(p2pa_node_ping(*node, node.peer(), &stale.op) == P2PA_OK);
    REQUIRE(p2pa_node_call_open(*node, node.peer(), "m", 1, nullptr, &stale.call) == P2PA_OK);
    stale.stream.v = stale.call.v;
  }
  Node successor;
  for (const Function& function : every_function()) {
    INFO(function.name);
    CHECK(function.run(stale) == P2PA_E_STALE_HANDLE);
  }
}

TEST_CASE("every function may be called twice, and once more when the node is closed") {
  for (const Function& function : every_function()) {
    INFO(function.name);
    Node node;
    Arguments arguments;
    arguments.node = *node;
    arguments.peer = *node.peer();
    REQUIRE(p2pa_node_ping(*node, node.peer(), &arguments.op) == P2PA_OK);
    REQUIRE(p2pa_node_call_open(*node, node.peer(), "m", 1, nullptr, &arguments.call) == P2PA_OK);
    arguments.stream.v = arguments.call.v;
    const auto answered = [&] {
      const std::int32_t status = function.run(arguments);
      return status != P2PA_E_INTERNAL && (status >= 0 || std::string(p2pa_status_name(status)) != "unknown");
    };
    CHECK(answered());
    CHECK(answered());
    p2pa_node_close(*node);
    CHECK(answered());
    if (p2pa_node_stop_thread(*node) == P2PA_E_STALE_HANDLE) continue;  // it was node_free
    REQUIRE(p2pa_node_close(*node) == P2PA_OK);
    REQUIRE(run_until({&node}, [&] { return node.count(P2PA_EVENT_CLOSED) == 1; }));
    CHECK(answered());
    CHECK(p2pa_node_free(*node) == P2PA_OK);
    CHECK(function.run(arguments) == P2PA_E_STALE_HANDLE);
    CHECK(p2pa_node_free(*node) == P2PA_E_STALE_HANDLE);
  }
}

TEST_CASE("every function takes a missing pointer for what it is") {
  Node node;
  const p2pa_node n = *node;
  const p2pa_peer* peer = node.peer();
  p2pa_peer nobody{}, out;
  p2pa_op op{};
  p2pa_call call{};
  std::size_t size = 0;
  std::uint32_t number = 0;
  const auto refused = [](std::int32_t status) { CHECK(status == P2PA_E_INVALID_ARGUMENT); };
  refused(p2pa_abi_version(nullptr, &number));
  refused(p2pa_abi_version(&number, nullptr));
  refused(p2pa_peer_parse(nullptr, 3, &out));
  refused(p2pa_peer_parse("Qm", 2, nullptr));
  refused(p2pa_peer_text(nullptr, nullptr, &size));
  refused(p2pa_peer_text(peer, nullptr, nullptr));
  refused(p2pa_address_peer(nullptr, 1, &out));
  refused(p2pa_address_peer("/", 1, nullptr));
  refused(p2pa_key_generate(nullptr, nullptr));
  refused(p2pa_key_peer(nullptr, 32, &out));
  refused(p2pa_key_peer(nullptr, 0, nullptr));
  refused(p2pa_node_open(nullptr, nullptr, nullptr));
  refused(p2pa_node_peer(n, nullptr));
  refused(p2pa_node_wakeup_fd(n, nullptr));
  refused(p2pa_node_next_deadline(n, nullptr));
  refused(p2pa_node_next_event(n, nullptr));
  refused(p2pa_node_wait_event(n, 0, nullptr));
  refused(p2pa_event_release(nullptr));
  p2pa_event lent;
  p2pa_event_init(&lent);
  p2pa_dial_attempt attempt;
  p2pa_dial_attempt_init(&attempt);
  refused(p2pa_event_dial_attempt(nullptr, 0, &attempt));
  refused(p2pa_event_dial_attempt(&lent, 0, nullptr));
  refused(p2pa_node_addresses(n, nullptr, nullptr));
  refused(p2pa_node_listen(n, nullptr, 1, nullptr));
  refused(p2pa_node_listen(n, nullptr, 0, nullptr));
  refused(p2pa_node_add_address(n, nullptr, "/", 1, nullptr));
  refused(p2pa_node_add_address(n, &nobody, "/", 1, nullptr));
  refused(p2pa_node_add_address(n, peer, nullptr, 1, nullptr));
  refused(p2pa_node_dial(n, nullptr, 1, &op, nullptr));
  refused(p2pa_node_dial(n, "/ip4/127.0.0.1/udp/1/quic-v1", 28, nullptr, nullptr));
  refused(p2pa_node_dial_peer(n, nullptr, &op));
  refused(p2pa_node_dial_peer(n, &nobody, &op));
  refused(p2pa_node_dial_peer(n, peer, nullptr));
  refused(p2pa_node_disconnect(n, nullptr));
  refused(p2pa_node_connections(n, nullptr, nullptr));
  refused(p2pa_node_connection_info(n, 1, nullptr));
  refused(p2pa_node_connection_address(n, 1, nullptr, nullptr));
  refused(p2pa_node_peer_info(n, nullptr, 1, nullptr, &size));
  refused(p2pa_node_peer_info(n, peer, 1, nullptr, nullptr));
  refused(p2pa_node_limit_refusals(n, 0, nullptr));
  refused(p2pa_node_drops(n, 0, nullptr));
  refused(p2pa_node_usage(n, nullptr));
  refused(p2pa_node_open_channel(n, nullptr, nullptr, &op));
  refused(p2pa_node_open_channel(n, peer, nullptr, nullptr));
  p2pa_channel_options channel_options;
  p2pa_channel_options_init(&channel_options);
  channel_options.repair_percent_max = 101;
  refused(p2pa_node_open_channel(n, peer, &channel_options, &op));
  std::uint64_t rate = 0;
  refused(p2pa_node_set_rate_limit(n, nullptr, 1, P2PA_DIRECTION_INBOUND, 1, 0));
  refused(p2pa_node_set_rate_limit(n, "", 0, 0, 1, 0));
  refused(p2pa_node_set_rate_limit(n, "", 0, P2PA_DIRECTION_INBOUND, 0, 0));
  refused(p2pa_node_set_rate_limit(n, "nobody", 6, P2PA_DIRECTION_INBOUND, 1, 0));
  refused(p2pa_node_clear_rate_limit(n, "", 0, 3));
  refused(p2pa_node_rate_limit(n, "", 0, P2PA_DIRECTION_INBOUND, nullptr, &rate));
  refused(p2pa_node_rate_limit(n, "", 0, P2PA_DIRECTION_INBOUND, &rate, nullptr));
  refused(p2pa_node_send_session_message(n, nullptr, nullptr, 0, nullptr));
  refused(p2pa_node_send_session_message(n, peer, nullptr, 1, nullptr));
  p2pa_session_message_options message;
  p2pa_session_message_options_init(&message);
  message.channel = 64;
  refused(p2pa_node_send_session_message(n, peer, nullptr, 0, &message));
  p2pa_session_message_options_init(&message);
  message.delivery = 5;
  refused(p2pa_node_send_session_message(n, peer, nullptr, 0, &message));
  p2pa_session_message_options_init(&message);
  message.correction = 2;
  refused(p2pa_node_send_session_message(n, peer, nullptr, 0, &message));
  message.correction = 1;
  message.delivery = P2PA_DELIVERY_ORDERED;  // without a lifetime
  refused(p2pa_node_send_session_message(n, peer, nullptr, 0, &message));
  refused(p2pa_node_join_lan(n, nullptr, 1));
  refused(p2pa_node_join_lan(n, "t", 0));
  refused(p2pa_node_send_lan(n, nullptr, 1, nullptr, 0));
  refused(p2pa_node_send_lan(n, "t", 1, nullptr, 1));
  refused(p2pa_node_lan_drops(n, 0, nullptr));
  refused(p2pa_node_keep(n, nullptr));
  refused(p2pa_node_keep(n, &nobody));
  refused(p2pa_node_unkeep(n, nullptr));
  refused(p2pa_node_protect(n, nullptr, "t", 1));
  refused(p2pa_node_protect(n, peer, nullptr, 1));
  refused(p2pa_node_protect(n, peer, "t", 0));
  refused(p2pa_node_unprotect(n, peer, nullptr, 1));
  refused(p2pa_node_set_value(n, peer, nullptr, 1, 1));
  p2pa_peer chosen;
  refused(p2pa_node_choose_peer(n, nullptr, 1, &chosen));
  refused(p2pa_node_choose_peer(n, peer, 0, &chosen));
  refused(p2pa_node_choose_peer(n, peer, 1, nullptr));
  refused(p2pa_node_choose_peer(n, &nobody, 1, &chosen));
  refused(p2pa_node_deny(n, nullptr, 1));
  refused(p2pa_node_deny(n, "no rule", 7));
  refused(p2pa_node_allow(n, nullptr, 1));
  refused(p2pa_node_allow(n, "/a/protocol", 11));
  refused(p2pa_node_forget_rule(n, nullptr, 1));
  refused(p2pa_node_allow_only(n, 2));
  refused(p2pa_node_ping(n, nullptr, &op));
  refused(p2pa_node_ping(n, peer, nullptr));
  refused(p2pa_node_perf(n, nullptr, 1, 1, &op));
  refused(p2pa_node_perf(n, peer, 1, 1, nullptr));
  refused(p2pa_node_serve(n, nullptr, 1, P2PA_SERVE_UNARY));
  refused(p2pa_node_stop_serving(n, nullptr, 1));
  refused(p2pa_node_call(n, nullptr, "m", 1, nullptr, 0, nullptr, &op));
  refused(p2pa_node_call(n, peer, nullptr, 1, nullptr, 0, nullptr, &op));
  refused(p2pa_node_call(n, peer, "m", 1, nullptr, 1, nullptr, &op));
  refused(p2pa_node_call(n, peer, "m", 1, nullptr, 0, nullptr, nullptr));
  refused(p2pa_node_notify(n, nullptr, "m", 1, nullptr, 0, &op));
  refused(p2pa_node_notify(n, peer, nullptr, 1, nullptr, 0, &op));
  refused(p2pa_node_notify(n, peer, "m", 1, nullptr, 1, &op));
  refused(p2pa_node_notify(n, peer, "m", 1, nullptr, 0, nullptr));
  refused(p2pa_node_call_open(n, nullptr, "m", 1, nullptr, &call));
  refused(p2pa_node_call_open(n, peer, nullptr, 1, nullptr, &call));
  refused(p2pa_node_call_open(n, peer, "m", 1, nullptr, nullptr));
  REQUIRE(p2pa_node_call_open(n, peer, "m", 1, nullptr, &call) == P2PA_OK);
  refused(p2pa_call_send(call, nullptr, 1));
  refused(p2pa_call_send_take(call, nullptr, 1, nullptr, nullptr));
  refused(p2pa_call_reply(call, nullptr, 1));
  refused(p2pa_call_reply_take(call, nullptr, 1, nullptr, nullptr));
  refused(p2pa_call_fail(call, 1, nullptr, 1, nullptr, 0));
  refused(p2pa_call_fail(call, 1, nullptr, 0, nullptr, 1));
  refused(p2pa_node_handle_protocol(n, nullptr, 1));
  refused(p2pa_node_open_stream(n, nullptr, "/p", 2, &op));
  refused(p2pa_node_open_stream(n, peer, nullptr, 1, &op));
  refused(p2pa_node_open_stream(n, peer, "/p", 2, nullptr));
  refused(p2pa_stream_write(p2pa_stream{call.v}, nullptr, 0, nullptr));
  refused(p2pa_stream_write_take(p2pa_stream{call.v}, nullptr, 1, nullptr, nullptr));
  refused(p2pa_node_send_datagram(n, nullptr, nullptr, 0));
  refused(p2pa_node_send_datagram(n, peer, nullptr, 1));
}

TEST_CASE("addresses that are none are explained") {
  Node node;
  p2pa_error_info error;
  p2pa_error_info_init(&error);
  p2pa_op op{};
  CHECK(p2pa_node_listen(*node, "/ip4/1", 6, &error) == P2PA_E_MALFORMED);
  CHECK(std::strlen(error.text) > 0);
  CHECK(p2pa_node_dial(*node, "hello", 5, &op, &error) == P2PA_E_MALFORMED);
  const std::uint8_t key[32] = {9};
  p2pa_peer other;
  REQUIRE(p2pa_key_peer(key, 32, &other) == P2PA_OK);
  char text[64];
  std::size_t size = sizeof text;
  REQUIRE(p2pa_peer_text(&other, text, &size) == P2PA_OK);
  const std::string address = "/ip4/127.0.0.1/udp/1/quic-v1/p2p/" + std::string(text, size);
  CHECK(p2pa_node_add_address(*node, node.peer(), address.data(), address.size(), &error) ==
        P2PA_E_PEER_ID_MISMATCH);
  CHECK(error.code == P2PA_E_PEER_ID_MISMATCH);
  CHECK(p2pa_node_add_address(*node, &other, address.data(), address.size(), &error) == P2PA_OK);
}

TEST_CASE("an event is released once") {
  Node node;
  p2pa_event event;
  p2pa_event_init(&event);
  CHECK(p2pa_event_release(&event) == P2PA_OK);  // empty: nothing to give back
  REQUIRE(p2pa_node_wait_event(*node, 10'000'000, &event) == P2PA_OK);
  p2pa_event copy = event;
  CHECK(p2pa_event_release(&event) == P2PA_OK);
  CHECK(event.kind == P2PA_EVENT_NONE);
  CHECK(event.address.data == nullptr);
  CHECK(event.struct_size == sizeof event);
  CHECK(p2pa_event_release(&event) == P2PA_OK);
  CHECK(p2pa_event_release(&copy) == P2PA_E_STALE_HANDLE);
  copy.struct_size = 8;
  CHECK(p2pa_event_release(&copy) == P2PA_E_INVALID_ARGUMENT);
  CHECK(p2pa_node_next_event(*node, &copy) == P2PA_E_INVALID_ARGUMENT);
  p2pa_event forged;
  p2pa_event_init(&forged);
  forged.node = *node;
  forged.token = 12345;
  CHECK(p2pa_event_release(&forged) == P2PA_E_STALE_HANDLE);
}

TEST_CASE("an event outlives its node only as a stale one") {
  p2pa_event event;
  p2pa_event_init(&event);
  {
    Node node;
    REQUIRE(p2pa_node_wait_event(*node, 10'000'000, &event) == P2PA_OK);
  }
  CHECK(p2pa_event_release(&event) == P2PA_E_STALE_HANDLE);
}

TEST_CASE("lengths that no memory has are refused, and harm nobody") {
  Node node;
  p2pa_call call{};
  REQUIRE(p2pa_node_call_open(*node, node.peer(), "m", 1, nullptr, &call) == P2PA_OK);
  // Together they wrap around to one byte.
  CHECK(p2pa_call_fail(call, 1, "x", SIZE_MAX, bytes("yy"), 2) == P2PA_E_MESSAGE_TOO_LARGE);
  CHECK(p2pa_call_fail(call, 1, "xx", 2, bytes("y"), SIZE_MAX) == P2PA_E_MESSAGE_TOO_LARGE);
  CHECK(p2pa_call_send(call, bytes("y"), SIZE_MAX) == P2PA_E_MESSAGE_TOO_LARGE);
  CHECK(p2pa_node_poll(*node, 0, 0) >= 0);
}

TEST_CASE("an answer with nowhere to go is explained where an explanation has somewhere") {
  Node node;
  const std::string_view address = "/ip4/127.0.0.1/udp/1/quic-v1";
  p2pa_error_info error;
  p2pa_error_info_init(&error);
  CHECK(p2pa_node_open(nullptr, nullptr, &error) == P2PA_E_INVALID_ARGUMENT);
  CHECK(error.code == P2PA_E_INVALID_ARGUMENT);
  CHECK(std::strlen(error.text) > 0);
  p2pa_error_info_init(&error);
  CHECK(p2pa_node_dial(*node, address.data(), address.size(), nullptr, &error) == P2PA_E_INVALID_ARGUMENT);
  CHECK(error.code == P2PA_E_INVALID_ARGUMENT);
  CHECK(std::strlen(error.text) > 0);
}
