#include "address/ip_endpoint.hpp"

#include <algorithm>
#include <limits>

#include "address/ip_text.hpp"
#include "address/multiaddr_codec.hpp"
#include "base/hash.hpp"

namespace p2pa {

namespace {

constexpr std::size_t kMappedPrefix = 12;  // ::ffff:0:0/96

struct Prefix {
  std::array<std::uint8_t, 16> bytes;
  unsigned bits;
};

constexpr Prefix kPrivate4[] = {
    {{10}, 8}, {{172, 16}, 12}, {{192, 168}, 16}, {{100, 64}, 10},
};
// RFC 6890 and its registry, without what kPrivate4 has; multicast; reserved.
constexpr Prefix kSpecial4[] = {
    {{0}, 8},           {{127}, 8},         {{169, 254}, 16},   {{192, 0, 0}, 24},
    {{192, 0, 2}, 24},  {{192, 88, 99}, 24}, {{198, 18}, 15},   {{198, 51, 100}, 24},
    {{203, 0, 113}, 24}, {{224}, 4},        {{240}, 4},
};
constexpr Prefix kPrivate6[] = {{{0xfc}, 7}};
// Global unicast is 2000::/3 without these, and the NAT64 prefix.
constexpr Prefix kUnicast6{{0x20}, 3};
constexpr Prefix kNat64{{0x00, 0x64, 0xff, 0x9b}, 96};
constexpr Prefix kSpecial6[] = {
    {{0x20, 0x01}, 23}, {{0x20, 0x01, 0x0d, 0xb8}, 32}, {{0x20, 0x02}, 16}, {{0x3f, 0xff}, 20},
};

bool within(const IpAddress& ip, const Prefix& prefix) {
  const std::size_t whole = prefix.bits / 8;
  if (!std::equal(prefix.bytes.begin(), prefix.bytes.begin() + whole, ip.bytes.begin())) return false;
  const unsigned rest = prefix.bits % 8;
  return rest == 0 || (ip.bytes[whole] ^ prefix.bytes[whole]) >> (8 - rest) == 0;
}

template <std::size_t N>
bool within_any(const IpAddress& ip, const Prefix (&prefixes)[N]) {
  return std::any_of(prefixes, prefixes + N, [&](const Prefix& p) { return within(ip, p); });
}

std::unexpected<Error> bad_endpoint() {
  return fail(Code::kInvalidArgument, "endpoint: not <ip>:<port> or [<ip6>]:<port>");
}

}  // namespace

Result<IpAddress> IpAddress::from_bytes(ByteView raw) {
  IpAddress ip;
  constexpr std::uint8_t kMapped[kMappedPrefix] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (raw.size() == 16 && std::equal(kMapped, kMapped + kMappedPrefix, raw.begin())) {
    raw = raw.subspan(kMappedPrefix);
  }
  if (raw.size() != 4 && raw.size() != 16) {
    return fail(Code::kMalformed, "ip: an address is of 4 or 16 bytes");
  }
  ip.v6 = raw.size() == 16;
  std::copy(raw.begin(), raw.end(), ip.bytes.begin());
  return ip;
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  if (const auto ip4 = parse_ip4(text)) return from_bytes(*ip4);
  if (const auto ip6 = parse_ip6(text)) return from_bytes(*ip6);
  return fail(Code::kInvalidArgument, "ip: neither an IPv4 nor an IPv6 address");
}

std::string IpAddress::to_string() const {
  std::string text;
  if (v6) {
    append_ip6(text, bytes);
  } else {
    append_ip4(text, ByteView(bytes).first(4));
  }
  return text;
}

bool IpAddress::is_loopback() const {
  if (!v6) return bytes[0] == 127;
  return bytes == std::array<std::uint8_t, 16>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
}

bool IpAddress::is_unspecified() const { return bytes == std::array<std::uint8_t, 16>{}; }

bool IpAddress::is_private() const {
  return v6 ? within_any(*this, kPrivate6) : within_any(*this, kPrivate4);
}

bool IpAddress::is_link_local() const {
  return within(*this, v6 ? Prefix{{0xfe, 0x80}, 10} : Prefix{{169, 254}, 16});
}

bool IpAddress::is_global() const {
  if (!v6) return !within_any(*this, kPrivate4) && !within_any(*this, kSpecial4);
  if (within(*this, kNat64)) return true;
  return within(*this, kUnicast6) && !within_any(*this, kSpecial6);
}

Result<IpEndpoint> IpEndpoint::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return bad_endpoint();
  const auto port = parse_decimal(text.substr(colon + 1), std::numeric_limits<std::uint16_t>::max());
  std::string_view host = text.substr(0, colon);
  if (!port || host.empty()) return bad_endpoint();

  IpEndpoint endpoint;
  endpoint.port = static_cast<std::uint16_t>(*port);
  const bool bracketed = host.front() == '[' && host.back() == ']';
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
    if (const std::size_t percent = host.find('%'); percent != host.npos) {
      const auto scope =
          parse_decimal(host.substr(percent + 1), std::numeric_limits<std::uint32_t>::max());
      if (!scope) return bad_endpoint();
      endpoint.scope = static_cast<std::uint32_t>(*scope);
      host = host.substr(0, percent);
    }
  }
  const bool six = host.find(':') != host.npos;
  const auto ip = IpAddress::parse(host);
  if (!ip || six != bracketed) return bad_endpoint();
  endpoint.ip = *ip;
  if (!endpoint.ip.v6) endpoint.scope = 0;
  return endpoint;
}

std::string IpEndpoint::to_string() const {
  if (!ip.v6) return ip.to_string() + ':' + std::to_string(port);
  std::string text = '[' + ip.to_string();
  if (scope != 0) text += '%' + std::to_string(scope);
  return text + "]:" + std::to_string(port);
}

std::size_t IpEndpointHash::operator()(const IpEndpoint& endpoint) const noexcept {
  const std::uint64_t rest = std::uint64_t{endpoint.scope} << 32 |
                             std::uint64_t{endpoint.ip.v6} << 16 | endpoint.port;
  return stable_hash(endpoint.ip.bytes, rest);
}

namespace {

using Protocol = Multiaddr::Protocol;

/// IP address and port, which the reader is then behind.
std::optional<IpEndpoint> read_endpoint(ComponentReader& reader, Protocol transport) {
  auto component = reader.next();
  IpEndpoint endpoint;
  if (component && component->protocol == Protocol::kIp6Zone) {
    // A zone by name needs the system to look it up; one by number does not.
    const auto zone =
        parse_decimal(as_text(component->value), std::numeric_limits<std::uint32_t>::max());
    if (!zone) return std::nullopt;
    endpoint.scope = static_cast<std::uint32_t>(*zone);
    component = reader.next();
    if (!component || component->protocol != Protocol::kIp6) return std::nullopt;
  }
  if (!component) return std::nullopt;
  if (component->protocol != Protocol::kIp4 && component->protocol != Protocol::kIp6) {
    return std::nullopt;
  }
  endpoint.ip = *IpAddress::from_bytes(component->value);  // 4 or 16 bytes: a Multiaddr is valid
  if (!endpoint.ip.v6) endpoint.scope = 0;

  component = reader.next();
  if (!component || component->protocol != transport) return std::nullopt;
  endpoint.port = static_cast<std::uint16_t>(component->value[0] << 8 | component->value[1]);
  return endpoint;
}

/// Nothing but perhaps a peer's id is left, `component` being the next.
bool at_end(ComponentReader& reader, std::optional<Multiaddr::Component> component) {
  if (component && component->protocol == Protocol::kP2p) component = reader.next();
  return !component;
}

/// An address of exactly this shape behind IP, and perhaps a peer's id.
std::optional<IpEndpoint> endpoint_of(const Multiaddr& address, Protocol transport,
                                      std::optional<Protocol> above) {
  ComponentReader reader(address.bytes());
  const auto endpoint = read_endpoint(reader, transport);
  if (!endpoint) return std::nullopt;
  auto component = reader.next();
  if (above) {
    if (!component || component->protocol != *above) return std::nullopt;
    component = reader.next();
  }
  return at_end(reader, component) ? endpoint : std::nullopt;
}

Multiaddr multiaddr_of(const IpEndpoint& endpoint, Protocol transport, std::optional<Protocol> above) {
  Bytes out;
  out.reserve(32);
  const std::uint8_t port[2] = {static_cast<std::uint8_t>(endpoint.port >> 8),
                                static_cast<std::uint8_t>(endpoint.port)};
  if (endpoint.ip.v6 && endpoint.scope != 0) {
    append_component(out, Protocol::kIp6Zone, as_bytes(std::to_string(endpoint.scope)));
  }
  if (endpoint.ip.v6) {
    append_component(out, Protocol::kIp6, endpoint.ip.bytes);
  } else {
    append_component(out, Protocol::kIp4, ByteView(endpoint.ip.bytes).first(4));
  }
  append_component(out, transport, port);
  if (above) append_component(out, *above, {});
  return *Multiaddr::from_bytes(out);
}

void append(Bytes& out, const Multiaddr& address) {
  out.insert(out.end(), address.bytes().begin(), address.bytes().end());
}

}  // namespace

std::optional<IpEndpoint> quic_endpoint(const Multiaddr& address) {
  return endpoint_of(address, Protocol::kUdp, Protocol::kQuicV1);
}

Multiaddr quic_multiaddr(const IpEndpoint& endpoint) {
  return multiaddr_of(endpoint, Protocol::kUdp, Protocol::kQuicV1);
}

std::optional<IpAddress> ip_address(const Multiaddr& address) {
  ComponentReader reader(address.bytes());
  auto component = reader.next();
  if (component && component->protocol == Protocol::kIp6Zone) component = reader.next();
  if (!component) return std::nullopt;
  if (component->protocol != Protocol::kIp4 && component->protocol != Protocol::kIp6) return std::nullopt;
  return *IpAddress::from_bytes(component->value);
}

std::optional<IpEndpoint> tcp_endpoint(const Multiaddr& address) {
  return endpoint_of(address, Protocol::kTcp, std::nullopt);
}

Multiaddr tcp_multiaddr(const IpEndpoint& endpoint) {
  return multiaddr_of(endpoint, Protocol::kTcp, std::nullopt);
}

std::optional<IpEndpoint> udp_endpoint(const Multiaddr& address) {
  return endpoint_of(address, Protocol::kUdp, Protocol::kP2paUdp);
}

Multiaddr udp_multiaddr(const IpEndpoint& endpoint) {
  return multiaddr_of(endpoint, Protocol::kUdp, Protocol::kP2paUdp);
}

std::optional<WebAddress> web_address(const Multiaddr& address) {
  ComponentReader reader(address.bytes());
  const auto endpoint = read_endpoint(reader, Protocol::kTcp);
  if (!endpoint) return std::nullopt;
  WebAddress out{*endpoint};
  auto component = reader.next();
  if (component && component->protocol == Protocol::kTls) {
    out.tls = true;
    component = reader.next();
    if (component && component->protocol == Protocol::kSni) {
      out.host = as_text(component->value);
      component = reader.next();
    }
  }
  if (!component) return std::nullopt;
  if (component->protocol == Protocol::kWss && !out.tls) {
    out.tls = true;
  } else if (component->protocol != Protocol::kWs) {
    return std::nullopt;
  }
  return at_end(reader, reader.next()) ? std::optional(out) : std::nullopt;
}

Multiaddr web_multiaddr(const WebAddress& address) {
  Bytes out;
  append(out, tcp_multiaddr(address.endpoint));
  if (address.tls) append_component(out, Protocol::kTls, {});
  if (address.tls && !address.host.empty()) append_component(out, Protocol::kSni, as_bytes(address.host));
  append_component(out, Protocol::kWs, {});
  return *Multiaddr::from_bytes(out);
}

}  // namespace p2pa
