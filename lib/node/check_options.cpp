#include "node/check_options.hpp"

#include <algorithm>
#include <string>

#include "base/utf8.hpp"
#include "dns/server.hpp"

namespace p2pa {
namespace {

/// So that no sum of times overflows.
constexpr Duration kTimeMax = hours(24);
/// So that watching peers is not all that a node does.
constexpr Duration kHeartbeatMin = milliseconds(10);
/// What a QUIC transport parameter carries (RFC 9000 §16).
constexpr std::size_t kWindowMax = (std::size_t{1} << 62) - 1;
/// What a msgpack bin carries, with room for the frame around it.
constexpr std::size_t kMessageMax = 0xffff'0000;
constexpr std::size_t kDnsServersMax = 8;

Result<void> refuse(const char* why) { return fail(Code::kInvalidArgument, why); }

/// The bounds of which nothing may be zero. That a node takes no handshake, no call or no stream of a
/// peer is a choice; that it can have no connection is none.
Result<void> check_limits(const Limits& limits) {
  if (limits.connections_max == 0) return refuse("limits.connections_max is 0");
  if (limits.connections_per_peer_max == 0) return refuse("limits.connections_per_peer_max is 0");
  if (limits.connections_per_ip_max == 0) return refuse("limits.connections_per_ip_max is 0");
  if (limits.streams_max == 0) return refuse("limits.streams_max is 0");
  if (limits.streams_per_peer_max == 0) return refuse("limits.streams_per_peer_max is 0");
  if (limits.streams_per_ip_max == 0) return refuse("limits.streams_per_ip_max is 0");
  if (limits.memory_max == 0) return refuse("limits.memory_max is 0");
  if (limits.memory_per_peer_max == 0) return refuse("limits.memory_per_peer_max is 0");
  if (limits.memory_per_ip_max == 0) return refuse("limits.memory_per_ip_max is 0");
  if (limits.message_bytes_max == 0) return refuse("limits.message_bytes_max is 0");
  if (limits.stream_window == 0) return refuse("limits.stream_window is 0");
  if (limits.connection_window == 0) return refuse("limits.connection_window is 0");
  if (limits.send_buffer_max == 0) return refuse("limits.send_buffer_max is 0");
  if (limits.events_max == 0) return refuse("limits.events_max is 0");
  if (limits.message_bytes_max > kMessageMax) return refuse("limits.message_bytes_max is over 2^32 - 2^16");
  if (limits.stream_window > kWindowMax) return refuse("limits.stream_window is over 2^62 - 1");
  if (limits.connection_window > kWindowMax) return refuse("limits.connection_window is over 2^62 - 1");
  return {};
}

Result<void> check_times(const NodeOptions& options) {
  if (options.idle_timeout <= Duration{0}) return refuse("idle_timeout is not over 0");
  if (options.handshake_timeout <= Duration{0}) return refuse("handshake_timeout is not over 0");
  if (options.open_timeout <= Duration{0}) return refuse("open_timeout is not over 0");
  if (options.open_timeout > kTimeMax) return refuse("open_timeout is over a day");
  if (options.keep_alive < Duration{0}) return refuse("keep_alive is negative");
  if (options.idle_timeout > kTimeMax) return refuse("idle_timeout is over a day");
  if (options.handshake_timeout > kTimeMax) return refuse("handshake_timeout is over a day");
  if (options.keep_alive > kTimeMax) return refuse("keep_alive is over a day");
  if (options.heartbeat > kTimeMax) return refuse("heartbeat is over a day");
  if (options.heartbeat.ns != 0 && options.heartbeat < kHeartbeatMin) return refuse("heartbeat is neither 0 nor 10 ms");
  if (options.grace < Duration{0}) return refuse("grace is negative");
  if (options.grace > kTimeMax) return refuse("grace is over a day");
  if (options.idle_close < Duration{0}) return refuse("idle_close is negative");
  if (options.idle_close > kTimeMax) return refuse("idle_close is over a day");
  return {};
}

Result<void> check_web(const NodeOptions& options) {
  if (options.web_certificate_file.empty() != options.web_key_file.empty()) {
    return refuse("web_certificate_file and web_key_file go together");
  }
  if (options.proxy.empty()) return {};
  if (auto proxy = proxy_of(options.proxy); !proxy) return refuse(proxy.error().why);
  return {};
}

Result<void> check_lan(const LanOptions& lan) {
  if (lan.port == 0) return refuse("lan.port is 0");
  if (lan.application.size() > kLanApplicationBytesMax) return refuse("lan.application is over 255 bytes");
  if (!is_utf8(lan.application)) return refuse("lan.application is not UTF-8");
  return {};
}

Result<void> check_servers(const NodeOptions& options) {
  if (options.dns_servers.size() > kDnsServersMax) return refuse("dns_servers are more than 8");
  for (const std::string& server : options.dns_servers) {
    if (!dns::parse_server(server)) return refuse("dns_servers has one that is no address");
  }
  return {};
}

}  // namespace

Result<void> check_listen(const Multiaddr& address, const NodeOptions& options) {
  const bool over_udp = quic_endpoint(address) || udp_endpoint(address);
  const auto road = tcp::road_to(address);
  if (!over_udp && !road) {
    return fail(Code::kUnsupported,
                "only /udp/…/quic-v1, /udp/…/p2pa-udp, /tcp/…, /tcp/…/ws and /tcp/…/tls/ws addresses can be "
                "listened on");
  }
  if (road && road->tls && options.web_certificate_file.empty()) {
    return fail(Code::kUnsupported, "secure WebSocket needs web_certificate_file and web_key_file");
  }
  if (over_udp && options.network_key) {
    return fail(Code::kUnsupported, "a private network runs over TCP and WebSocket: its key has no place over UDP");
  }
  return {};
}

Result<tcp::Proxy> proxy_of(const std::string& url) {
  auto parsed = proxy::ProxyUrl::parse(url);
  if (!parsed) return std::unexpected(parsed.error());
  auto ip = parsed->proxy.ip();
  if (parsed->proxy.host() == "localhost") ip = IpAddress::parse("127.0.0.1").value();
  if (!ip) return fail(Code::kInvalidArgument, "proxy url: the host is neither an IP address nor localhost");
  const IpEndpoint endpoint{*ip, parsed->proxy.port(), 0};
  return tcp::Proxy{std::move(*parsed), endpoint};
}

Result<void> check_options(const NodeOptions& options) {
  if (auto fine = check_web(options); !fine) return fine;
  if (auto fine = check_times(options); !fine) return fine;
  if (options.security.empty()) return refuse("security is empty");
  for (const Security security : options.security) {
    if (std::ranges::count(options.security, security) > 1) return refuse("security names one twice");
  }
  if (options.high_water != 0 && options.low_water > options.high_water) {
    return refuse("low_water is over high_water");
  }
  if (auto fine = check_servers(options); !fine) return fine;
  if (auto fine = check_lan(options.lan); !fine) return fine;
  return check_limits(options.limits);
}

}  // namespace p2pa
