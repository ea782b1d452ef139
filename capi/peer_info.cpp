#include <string>

#include "entry.hpp"

using namespace p2pa;
using namespace p2pa::capi;

namespace {

/// A peer's text without control characters, so that a line is a line.
std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

void add_line(std::string& lines, const std::string& line) {
  if (!lines.empty()) lines += '\n';
  lines += line;
}

/// False: there is no such field.
bool read_field(const PeerInfo& info, std::uint32_t field, std::string& out) {
  switch (field) {
    case P2PA_PEER_AGENT_VERSION: out = printable(info.agent_version); return true;
    case P2PA_PEER_PROTOCOL_VERSION: out = printable(info.protocol_version); return true;
    case P2PA_PEER_PROTOCOLS:
      for (const std::string& protocol : info.protocols) add_line(out, printable(protocol));
      return true;
    case P2PA_PEER_ADDRESSES:
      for (const Multiaddr& address : info.listen_addresses) add_line(out, printable(address.to_string()));
      return true;
    case P2PA_PEER_OBSERVED_ADDRESS:
      if (info.observed_address) out = printable(info.observed_address->to_string());
      return true;
    default: return false;
  }
}

}  // namespace

int32_t p2pa_node_peer_info(p2pa_node node, const p2pa_peer* peer, uint32_t field, char* buffer,
                            size_t* size) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    const auto who = read_peer(peer);
    if (!who || size == nullptr) return P2PA_E_INVALID_ARGUMENT;
    return host.runner.inspect([&](const Node& running) -> Status {
      const auto info = running.info(*who);
      if (!info) return P2PA_E_NOT_FOUND;
      std::string text;
      if (!read_field(*info, field, text)) return P2PA_E_INVALID_ARGUMENT;
      return write_text(text, buffer, size);
    });
  });
}
