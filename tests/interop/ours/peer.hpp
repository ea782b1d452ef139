#pragma once
// One node of ours in an interop test, and what it says on standard output.

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "p2pagents/node.hpp"
#include "transport.hpp"

namespace interop {

using Json = nlohmann::ordered_json;

/// One JSON object on one line, flushed.
void print_line(const Json& object);
/// The address as the contract wants it: without /p2p/<id>.
std::string bare(const p2pa::Multiaddr& address);
Json identified_fields(const p2pa::PeerInfo& info);

/// What every node is told: the flags that "listen" and "dial" share.
struct NodeFlags {
  std::int64_t seed = -1;  ///< the key's 32-byte seed in little endian; negative: a random key
  const Transport* transport = interop::transport("quic");
  std::string web;  ///< directory of certificate.pem, key.pem and roots.pem
  std::optional<p2pa::PreSharedKey> network_key;
};

/// Takes the flag when it is one of those, and makes sense.
bool node_flag(NodeFlags& flags, const std::string& flag, const std::string& value);
p2pa::NodeOptions options_for(const NodeFlags& flags);

/// The number behind a flag; false when it is none.
bool number(const std::string& text, double& out);

/// Has standard input ended, or SIGTERM come? Does not wait.
bool told_to_stop();
/// Installs the SIGTERM handler.
void listen_to_signals();

}  // namespace interop
