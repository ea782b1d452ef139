#include "peer.hpp"

#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

#include "p2pagents/key_file.hpp"

namespace interop {
namespace {

volatile std::sig_atomic_t terminated = 0;

}  // namespace

void print_line(const Json& object) {
  std::puts(object.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  std::fflush(stdout);
}

std::string bare(const p2pa::Multiaddr& address) { return address.without_peer_id().to_string(); }

Json identified_fields(const p2pa::PeerInfo& info) {
  Json addresses = Json::array();
  for (const auto& address : info.listen_addresses) addresses.push_back(bare(address));
  return {{"peer", info.peer.to_string()},
          {"agent", info.agent_version},
          {"protocol_version", info.protocol_version},
          {"protocols", info.protocols},
          {"listen_addrs", addresses},
          {"observed_addr", info.observed_address ? bare(*info.observed_address) : ""}};
}

bool number(const std::string& text, double& out) {
  char* end = nullptr;
  out = std::strtod(text.c_str(), &end);
  return !text.empty() && *end == '\0';
}

bool node_flag(NodeFlags& flags, const std::string& flag, const std::string& value) {
  if (flag == "--transport") return (flags.transport = transport(value)) != nullptr;
  if (flag == "--seed") {
    double seed = 0;
    if (!number(value, seed)) return false;
    flags.seed = static_cast<std::int64_t>(seed);
    return true;
  }
  if (flag == "--web") {
    flags.web = value;
    return true;
  }
  if (flag != "--network-key") return false;
  std::ifstream file(value, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto key = p2pa::PreSharedKey::parse(p2pa::as_bytes(text));
  if (key) flags.network_key = std::move(*key);
  return key.has_value();
}

p2pa::NodeOptions options_for(const NodeFlags& flags) {
  p2pa::NodeOptions options;
  options.security = flags.transport->security;
  options.network_key = flags.network_key;
  if (flags.transport->web && !flags.web.empty()) {
    options.web_certificate_file = flags.web + "/certificate.pem";
    options.web_key_file = flags.web + "/key.pem";
    options.web_roots_file = flags.web + "/roots.pem";
  }
  if (flags.seed >= 0) {
    p2pa::Bytes bytes(p2pa::KeyPair::kSeedSize);
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(flags.seed >> (8 * i));
    options.key = p2pa::KeyPair::from_seed(bytes);
  } else {
    options.key = p2pa::generate_key();
  }
  // Limits out of the way: here interop is tested.
  options.limits.connections_per_peer_max = 1024;
  options.limits.streams_inbound_per_connection_max = 4096;
  return options;
}

bool told_to_stop() {
  if (terminated != 0) return true;
  pollfd input{STDIN_FILENO, POLLIN, 0};
  if (poll(&input, 1, 0) != 1) return false;
  char sink[256];
  return read(STDIN_FILENO, sink, sizeof sink) == 0;
}

void listen_to_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { terminated = 1; };
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace interop
