// Nodes over WebSocket in the world, plain and in TLS.

#include <catch2/catch.hpp>

#include "support.hpp"
#include "support/web_certificates.hpp"

using namespace p2pa;
using namespace p2pa::sim;
using p2pa::test::CertificateSpec;
using p2pa::test::WebCertificate;

namespace {

constexpr Duration kRtt = milliseconds(100);
constexpr std::int64_t kLongAgo = 0, kFarAway = 4'000'000'000;

NodeOptions over(const std::string& rest) { return listening("/ip4/0.0.0.0/tcp/4001" + rest); }

/// RSA: its signatures have one length, as both runs of a seed need it.
CertificateSpec spec(const std::string& name, const Bytes& ip, bool authority) {
  return {.name = name, .hosts = {}, .ip = ip, .not_before = kLongAgo, .not_after = kFarAway, .authority = authority,
          .algorithm = GNUTLS_PK_RSA, .bits = 2048};
}

const WebCertificate& root() {
  static const WebCertificate out(spec("root", {}, true));
  return out;
}

Bytes ip_of(const Multiaddr& address) {
  const ByteView ip = *address.find(Multiaddr::Protocol::kIp4);
  return Bytes(ip.begin(), ip.end());
}

WebCertificate leaf_for(const Bytes& ip) { return WebCertificate(spec("leaf", ip, false), &root()); }

void put_certificate(World& world, HostId host, const WebCertificate& certificate) {
  world.write_file(host, "chain.pem", certificate.pem());
  world.write_file(host, "key.pem", certificate.key_pem());
}

NodeOptions secure_server() {
  NodeOptions options = over("/tls/ws");
  options.web_certificate_file = "chain.pem";
  options.web_key_file = "key.pem";
  return options;
}

NodeOptions trusting(const std::string& roots) {
  NodeOptions options;
  options.web_roots_file = roots;
  return options;
}

Answer ask(World& world, const Pair& pair) {
  return call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes("hello"));
}

}  // namespace

TEST_CASE("the first answer over WebSocket takes four round trips, one of them its greeting's", "[ws]") {
  const Security security = GENERATE(Security::kNoise, Security::kTls);
  for_seeds(2, "cold call over WebSocket", [security](World& world) {
    world.set_default_link({.delay = kRtt / 2});
    NodeOptions client;
    client.security = {security};
    const Pair pair = make_pair(world, over("/ws"), std::move(client));
    const Instant begin = world.now();
    const Answer answer = ask(world, pair);
    REQUIRE(answer.ok());
    CHECK((answer.at - begin).us() == (kRtt * 4).us());
    CHECK(world.node(pair.client).connections().at(0).remote_address.has(Multiaddr::Protocol::kWs));
  });
}

TEST_CASE("large calls come whole over WebSocket and a bad network", "[ws]") {
  for_seeds(2, "much over WebSocket", [](World& world) {
    world.set_default_link({.delay = milliseconds(10), .loss = 0.02});
    const Pair pair = make_pair(world, over("/ws"));
    const std::string much(500'000, 'w');
    const Answer answer = call_and_wait(world, pair.client, pair.server_id, "echo", as_bytes(much));
    REQUIRE(answer.ok());
    CHECK(as_text(answer.bytes) == much);
  });
}

TEST_CASE("a dial of secure WebSocket believes whom it is told to, and everybody when it is told nothing", "[ws]") {
  for_seeds(1, "secure WebSocket", [](World& world) {
    const NodeId server = world.add_node(over("/ws"));
    const Bytes ip = ip_of(world.address(server));
    const HostId host = world.host(server);
    put_certificate(world, host, leaf_for(ip));
    world.kill(server);
    world.restart(server, secure_server());
    serve_echo(world.node(server));
    const PeerId server_id = world.node(server).id();

    const NodeId easy = world.add_node(trusting(""));
    introduce(world, easy, server);
    CHECK(call_and_wait(world, easy, server_id, "echo", as_bytes("hello")).ok());

    const NodeId careful = world.add_node(trusting("roots.pem"));
    world.write_file(world.host(careful), "roots.pem", root().pem());
    introduce(world, careful, server);
    CHECK(call_and_wait(world, careful, server_id, "echo", as_bytes("hello")).ok());

    const NodeId stranger = world.add_node(trusting("roots.pem"));
    world.write_file(world.host(stranger), "roots.pem", leaf_for(ip).pem());
    introduce(world, stranger, server);
    const Answer refused = call_and_wait(world, stranger, server_id, "echo", as_bytes("hello"));
    CHECK(refused.outcome.error.code == Code::kBadCertificate);

    const NodeId fileless = world.add_node(trusting("none.pem"));
    introduce(world, fileless, server);
    const Answer unread = call_and_wait(world, fileless, server_id, "echo", as_bytes("hello"));
    CHECK(unread.outcome.error.code == Code::kIo);
  });
}

TEST_CASE("a renewed certificate is shown within a minute, and one that does not fit is not", "[ws]") {
  for_seeds(1, "a renewed certificate", [](World& world) {
    const NodeId server = world.add_node(over("/ws"));
    const Bytes ip = ip_of(world.address(server));
    const HostId host = world.host(server);
    put_certificate(world, host, leaf_for({192, 0, 2, 9}));  // of another address
    world.kill(server);
    world.restart(server, secure_server());
    serve_echo(world.node(server));
    const PeerId server_id = world.node(server).id();
    const auto ask_anew = [&] {
      const NodeId client = world.add_node(trusting("roots.pem"));
      world.write_file(world.host(client), "roots.pem", root().pem());
      introduce(world, client, server);
      return call_and_wait(world, client, server_id, "echo", as_bytes("hello"));
    };
    CHECK(ask_anew().outcome.error.code == Code::kBadCertificate);
    put_certificate(world, host, leaf_for(ip));
    world.run_for(seconds(61));
    CHECK(ask_anew().ok());
    world.write_file(host, "key.pem", root().key_pem());  // half of a renewal
    world.run_for(seconds(61));
    CHECK(ask_anew().ok());
  });
}

TEST_CASE("secure WebSocket is not listened on without a certificate", "[ws]") {
  for_seeds(1, "no certificate", [](World& world) {
    const NodeId node = world.add_node(over("/tls/ws"));
    const Watch events(world, node);
    world.run_for(seconds(1));
    REQUIRE(events.count(NodeEvent::Kind::kListenFailed) == 1);
    CHECK(events.last(NodeEvent::Kind::kListenFailed)->error.code == Code::kUnsupported);
  });
}
