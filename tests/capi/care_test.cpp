#include "support.hpp"

using namespace p2pa::test;

namespace {

using Configure = Node::Configure;

Configure listening_at(std::string_view where) {
  return [where](p2pa_node_options& o) { o.listen = where.data(), o.listen_size = where.size(); };
}

std::int32_t deny(const Node& node, std::string_view rule) {
  return p2pa_node_deny(*node, rule.data(), rule.size());
}
std::int32_t forget(const Node& node, std::string_view rule) {
  return p2pa_node_forget_rule(*node, rule.data(), rule.size());
}
std::string text_of(const p2pa_peer* peer) {
  char text[64];
  std::size_t size = sizeof text;
  REQUIRE(p2pa_peer_text(peer, text, &size) == P2PA_OK);
  return {text, size};
}

std::int32_t dial(Node& client, Node& server) {
  const std::string address = server.address();
  p2pa_op op{};
  REQUIRE(p2pa_node_dial(*client, address.data(), address.size(), &op, nullptr) == P2PA_OK);
  REQUIRE(run_until({&client, &server}, [&] { return client.completion(op) != nullptr; }));
  return client.completion(op)->event.status;
}

}  // namespace

TEST_CASE("a kept peer is dialed again when it is lost, and no more when it is not kept") {
  Node client, server;
  const std::string address = server.address();
  REQUIRE(p2pa_node_add_address(*client, server.peer(), address.data(), address.size(), nullptr) == P2PA_OK);
  REQUIRE(p2pa_node_keep(*client, server.peer()) == P2PA_OK);
  CHECK(p2pa_node_keep(*client, client.peer()) == P2PA_E_INVALID_ARGUMENT);
  REQUIRE(run_until({&client, &server}, [&] { return server.count(P2PA_EVENT_CONNECTED) == 1; }));
  REQUIRE(p2pa_node_disconnect(*server, client.peer()) == P2PA_OK);
  REQUIRE(run_until({&client, &server}, [&] { return client.count(P2PA_EVENT_CONNECTED) == 2; }));

  CHECK(p2pa_node_unkeep(*client, server.peer()) == P2PA_OK);
  CHECK(p2pa_node_unkeep(*client, server.peer()) == P2PA_E_NOT_FOUND);
}

TEST_CASE("the same happens when the library's thread runs the node") {
  Node client, server;
  const std::string address = server.address();
  REQUIRE(p2pa_node_add_address(*client, server.peer(), address.data(), address.size(), nullptr) == P2PA_OK);
  REQUIRE(p2pa_node_start_thread(*client) == P2PA_OK);
  REQUIRE(p2pa_node_keep(*client, server.peer()) == P2PA_OK);
  REQUIRE(run_until({&client, &server}, [&] { return client.count(P2PA_EVENT_CONNECTED) == 1; }));
  REQUIRE(deny(client, text_of(server.peer())) == P2PA_OK);
  REQUIRE(run_until({&client, &server}, [&] { return client.count(P2PA_EVENT_DISCONNECTED) == 1; }));
  CHECK(client.of(P2PA_EVENT_DISCONNECTED)[0].event.status == P2PA_E_GATED);
}

TEST_CASE("tags protect a peer until the last one is taken back") {
  Node node, other;
  CHECK(p2pa_node_protect(*node, other.peer(), "a", 1) == P2PA_OK);
  CHECK(p2pa_node_protect(*node, other.peer(), "b", 1) == P2PA_OK);
  CHECK(p2pa_node_unprotect(*node, other.peer(), "a", 1) == P2PA_NONE);
  CHECK(p2pa_node_unprotect(*node, other.peer(), "b", 1) == P2PA_OK);
  for (int i = 0; i < 64; ++i) {
    const std::string tag = std::to_string(i);
    REQUIRE(p2pa_node_set_value(*node, other.peer(), tag.data(), tag.size(), i + 1) == P2PA_OK);
  }
  CHECK(p2pa_node_set_value(*node, other.peer(), "one more", 8, 1) == P2PA_E_LIMIT_PEER);
}

TEST_CASE("of a peer that is far and one that is near the near one is chosen") {
  Node client, server, stranger;
  REQUIRE(dial(client, server) == P2PA_OK);
  p2pa_peer chosen;
  REQUIRE(p2pa_node_choose_peer(*client, server.peer(), 1, &chosen) == P2PA_OK);
  CHECK(std::memcmp(&chosen, server.peer(), sizeof chosen) == 0);
}

TEST_CASE("whom a rule names is refused, until the rule is forgotten") {
  Node client, server;
  const std::string rule = GENERATE(std::string("peer"), std::string("127.0.0.0/8"));
  const std::string named = rule == "peer" ? text_of(server.peer()) : rule;
  REQUIRE(deny(client, named) == P2PA_OK);
  CHECK(dial(client, server) == P2PA_E_GATED);
  REQUIRE(forget(client, named) == P2PA_OK);
  CHECK(forget(client, named) == P2PA_E_NOT_FOUND);
  CHECK(dial(client, server) == P2PA_OK);
}

TEST_CASE("who is refused is told of, with the reason and how many there were") {
  Node client, server;
  REQUIRE(deny(server, "127.0.0.0/8") == P2PA_OK);
  CHECK(dial(client, server) < 0);
  REQUIRE(run_until({&client, &server}, [&] { return server.count(P2PA_EVENT_REFUSED) == 1; }));
  const auto told = server.of(P2PA_EVENT_REFUSED);
  CHECK(told[0].event.status == P2PA_E_GATED);
  CHECK(told[0].event.count >= 1);
  CHECK(told[0].address == "/ip4/127.0.0.1");
}

TEST_CASE("when only what is allowed may pass, nothing else does") {
  Node client, server;
  REQUIRE(p2pa_node_allow_only(*client, 1) == P2PA_OK);
  CHECK(dial(client, server) == P2PA_E_GATED);
  REQUIRE(p2pa_node_allow(*client, "127.0.0.1", 9) == P2PA_OK);
  CHECK(dial(client, server) == P2PA_OK);
}

TEST_CASE("a connection tells its quality") {
  Node client, server;
  REQUIRE(dial(client, server) == P2PA_OK);
  std::uint64_t id = 0;
  std::size_t count = 1;
  REQUIRE(p2pa_node_connections(*client, &id, &count) == P2PA_OK);
  p2pa_connection_info info;
  p2pa_connection_info_init(&info);
  REQUIRE(p2pa_node_connection_info(*client, id, &info) == P2PA_OK);
  CHECK(info.age_ns > 0);
  CHECK(info.score > 0.5);
  CHECK(info.score <= 1);
  CHECK(info.loss >= 0);
}

TEST_CASE("nodes of one private network speak over WebSocket, and to nobody else") {
  static constexpr std::string_view kKey =
      "/key/swarm/psk/1.0.0/\n/base16/\n000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
  static constexpr std::string_view kWhere = "/ip4/127.0.0.1/tcp/0/ws";
  const auto private_one = [](p2pa_node_options& o) {
    listening_at(kWhere)(o);
    o.network_key = kKey.data(), o.network_key_size = kKey.size();
    o.security = P2PA_SECURITY_TLS;
  };
  Node client(private_one), server(private_one), stranger(listening_at(kWhere));
  CHECK(dial(client, server) == P2PA_OK);
  CHECK(dial(stranger, server) != P2PA_OK);
}

TEST_CASE("a dial goes through the proxy, and nowhere when there is none") {
  static constexpr std::string_view kProxy = "socks5://127.0.0.1:1";
  static constexpr std::string_view kWhere = "/ip4/127.0.0.1/tcp/0";
  Node server(listening_at(kWhere));
  Node client([](p2pa_node_options& o) { o.proxy = kProxy.data(), o.proxy_size = kProxy.size(); });
  CHECK(dial(client, server) == P2PA_E_UNREACHABLE);
}
