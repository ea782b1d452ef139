#pragma once
// One node of ours in an interop test, and what it says on standard output.

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
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

/// The 32-byte seed is the number in little endian; negative: a random key.
p2pa::NodeOptions options_for(std::int64_t seed, const Transport& transport);

/// Has standard input ended, or SIGTERM come? Does not wait.
bool told_to_stop();
/// Installs the SIGTERM handler.
void listen_to_signals();

}  // namespace interop
