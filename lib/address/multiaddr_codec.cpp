#include "address/multiaddr_codec.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.hpp"
#include "base/byte_writer.hpp"
#include "base/varint.hpp"

namespace p2pa {

namespace {

using Protocol = Multiaddr::Protocol;
constexpr int kVariable = ProtocolInfo::kVariable;

// multicodec table, tag multiaddr. `memory` is eight bytes as go and rust have it, not the table's V.
constexpr ProtocolInfo kProtocols[] = {
    {Protocol::kIp4, "ip4", 4},
    {Protocol::kTcp, "tcp", 2},
    {Protocol::kIp6, "ip6", 16},
    {Protocol::kIp6Zone, "ip6zone", kVariable},
    {Protocol::kIpCidr, "ipcidr", 1},
    {Protocol::kDns, "dns", kVariable},
    {Protocol::kDns4, "dns4", kVariable},
    {Protocol::kDns6, "dns6", kVariable},
    {Protocol::kDnsAddr, "dnsaddr", kVariable},
    {Protocol::kUdp, "udp", 2},
    {Protocol::kWebrtcDirect, "webrtc-direct", 0},
    {Protocol::kWebrtc, "webrtc", 0},
    {Protocol::kP2pCircuit, "p2p-circuit", 0},
    {Protocol::kUnix, "unix", kVariable, true},
    {Protocol::kP2p, "p2p", kVariable},
    {Protocol::kTls, "tls", 0},
    {Protocol::kSni, "sni", kVariable},
    {Protocol::kNoise, "noise", 0},
    {Protocol::kQuic, "quic", 0},
    {Protocol::kQuicV1, "quic-v1", 0},
    {Protocol::kWebtransport, "webtransport", 0},
    {Protocol::kCerthash, "certhash", kVariable},
    {Protocol::kWs, "ws", 0},
    {Protocol::kWss, "wss", 0},
    {Protocol::kHttp, "http", 0},
    {Protocol::kHttpPath, "http-path", kVariable},
    {Protocol::kMemory, "memory", 8},
    {Protocol::kP2paUdp, "p2pa-udp", 0},
};

template <class Match>
const ProtocolInfo* find_protocol(Match match) {
  const auto* found = std::find_if(std::begin(kProtocols), std::end(kProtocols), match);
  return found == std::end(kProtocols) ? nullptr : found;
}

}  // namespace

const ProtocolInfo* protocol_named(std::string_view name) {
  if (name == "ipfs") name = "p2p";  // the name it had until 2019
  return find_protocol([&](const ProtocolInfo& info) { return info.name == name; });
}

const ProtocolInfo* protocol_coded(std::uint64_t code) {
  return find_protocol([&](const ProtocolInfo& p) { return std::to_underlying(p.protocol) == code; });
}

Result<Multiaddr::Component> read_component(ByteReader& reader) {
  const auto code = read_varint(reader);
  if (!code) return fail(Code::kMalformed, "multiaddr: bad protocol code");
  const ProtocolInfo* info = protocol_coded(*code);
  if (info == nullptr) return fail(Code::kUnsupported, "multiaddr: unknown protocol code", *code);
  std::uint64_t size = static_cast<std::uint64_t>(info->value_size);
  if (info->value_size == kVariable) {
    const auto length = read_varint(reader);
    if (!length) return fail(Code::kMalformed, "multiaddr: bad value length");
    size = *length;
  }
  const auto value = reader.take(size);
  if (!value) return fail(Code::kMalformed, "multiaddr: value longer than the address");
  if (const auto good = check_value(info->protocol, *value); !good) {
    return std::unexpected(good.error());
  }
  return Multiaddr::Component{info->protocol, *value};
}

void append_component(Bytes& out, Protocol protocol, ByteView value) {
  const ProtocolInfo* info = protocol_coded(std::to_underlying(protocol));
  P2PA_ASSERT(info != nullptr);
  append_varint(out, std::to_underlying(protocol));
  if (info->value_size == kVariable) append_varint(out, value.size());
  ByteWriter(out).append(value);
}

std::optional<Multiaddr::Component> ComponentReader::next() {
  if (reader_.at_end()) return std::nullopt;
  const auto component = read_component(reader_);
  P2PA_ASSERT(component.has_value());
  return *component;
}

}  // namespace p2pa
