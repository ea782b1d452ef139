#include "node_road.hpp"

#include <catch2/catch.hpp>

#include <utility>

#include "support/web_certificates.hpp"

namespace p2pa::sim {
namespace {

/// RSA: its signatures have one length, as both runs of a seed need it.
const test::WebCertificate& certificate() {
  static const test::WebCertificate out({.name = "node", .hosts = {}, .ip = {}, .not_before = 0,
                                         .not_after = 4'000'000'000, .algorithm = GNUTLS_PK_RSA,
                                         .bits = 2048});
  return out;
}

}  // namespace

const std::vector<NodeRoad>& node_roads() {
  static const std::vector<NodeRoad> roads = {
      {"quic", "/ip4/0.0.0.0/udp/4001/quic-v1"},
      {"tcp noise", "/ip4/0.0.0.0/tcp/4001", Security::kNoise},
      {"tcp tls", "/ip4/0.0.0.0/tcp/4001", Security::kTls},
      {"ws", "/ip4/0.0.0.0/tcp/4001/ws"},
      {"wss", "/ip4/0.0.0.0/tcp/4001/tls/ws"},
      {"udp", "/ip4/0.0.0.0/udp/4001/p2pa-udp"},
  };
  return roads;
}

Pair make_pair(World& world, const NodeRoad& road, NodeOptions server_options, NodeOptions client_options) {
  server_options.listen = {*Multiaddr::parse(road.listen)};
  server_options.security = client_options.security = {road.security};
  client_options.web_roots_file.clear();  // the peer proves who it is above its certificate
  const HostId host = world.add_host();
  if (road.name == "wss") {
    world.write_file(host, "chain.pem", certificate().pem());
    world.write_file(host, "key.pem", certificate().key_pem());
    server_options.web_certificate_file = "chain.pem";
    server_options.web_key_file = "key.pem";
  }
  const NodeId server = world.add_node(std::move(server_options), host);
  const NodeId client = world.add_node(std::move(client_options));
  serve_echo(world.node(server));
  introduce(world, client, server);
  return {server, client, world.node(server).id()};
}

}  // namespace p2pa::sim
