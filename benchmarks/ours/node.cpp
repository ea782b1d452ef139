#include "node.hpp"

#include <string>
#include <string_view>

#include "usage.hpp"

namespace bench {

namespace {

std::string_view road = "/udp/0/quic-v1";
std::string web_files;
bool by_tls = false;

}  // namespace

void choose_transport(const Options& options) {
  if (options.tcp != 0) road = "/tcp/0";
  if (options.ws != 0) road = "/tcp/0/ws";
  if (!options.wss.empty()) road = "/tcp/0/tls/ws";
  if (options.udp != 0) road = "/udp/0/p2pa-udp";
  web_files = options.wss;
  by_tls = options.tls != 0;
}

std::unique_ptr<p2pa::Node> open_node(Listen listen) {
  p2pa::NodeOptions options;
  options.limits.handshakes_max = options.limits.connections_max;
  options.security = {by_tls ? p2pa::Security::kTls : p2pa::Security::kNoise};
  if (!web_files.empty()) {
    options.web_certificate_file = web_files + "/certificate.pem";
    options.web_key_file = web_files + "/key.pem";
  }
  options.web_roots_file.clear();  // of a certificate made for the run
  const std::string ip = listen == Listen::kLoopback ? "/ip4/127.0.0.1" : "/ip4/0.0.0.0";
  const std::string address = ip + std::string(road);
  if (listen != Listen::kNowhere) options.listen = {*p2pa::Multiaddr::parse(address)};
  auto opened = p2pa::Node::open(std::move(options));
  if (!opened) die("no node: " + p2pa::describe(opened.error()));
  return *std::move(opened);
}

std::string await_address(Loop& loop, const p2pa::Node& node) {
  loop.await([&] { return !node.addresses().empty(); });
  return node.addresses().front().to_string();
}

std::string await_outside_address(Loop& loop, const p2pa::Node& node) {
  await_address(loop, node);
  for (const p2pa::Multiaddr& address : node.addresses()) {
    const std::string text = address.to_string();
    if (!text.starts_with("/ip4/127.")) return text;
  }
  die("no address but loopback's");
}

p2pa::ConnectionInfo dial(Loop& loop, p2pa::Node& node, const std::string& address) {
  const auto target = p2pa::Multiaddr::parse(address);
  if (!target) die("not an address: " + address);
  std::optional<p2pa::Result<p2pa::ConnectionInfo>> dialed;
  node.dial(*target, [&](auto result) { dialed = std::move(result); });
  loop.await([&] { return dialed.has_value(); });
  if (!*dialed) die("dial: " + p2pa::describe(dialed->error()));
  return **std::move(dialed);
}

void close_node(Loop& loop, p2pa::Node& node) {
  node.close();
  loop.await([&] { return node.closed(); });
}

}  // namespace bench
