#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "p2pagents/error.hpp"
#include "p2pagents/multiaddr.hpp"

namespace p2pa {

/// An IPv4 or IPv6 address, no port. IPv4 is kept apart from v4-mapped IPv6 (which from_bytes of 16
/// bytes unmaps).
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};  ///< IPv4: the first four
  bool v6 = false;

  /// 4 or 16 bytes, as they stand on the wire. kMalformed: another size.
  static Result<IpAddress> from_bytes(ByteView raw);
  /// kInvalidArgument: neither family's text.
  static Result<IpAddress> parse(std::string_view text);
  std::string to_string() const;
  bool is_loopback() const;
  bool is_unspecified() const;
  bool is_private() const;     ///< RFC 1918, RFC 4193, RFC 6598
  bool is_link_local() const;
  bool is_global() const;      ///< none of the special ranges (RFC 6890)
  /// Means something on this host or its networks only: loopback, link-local, private.
  bool is_local() const { return is_loopback() || is_link_local() || is_private(); }

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
};

/// Address and port of one end of a datagram or a socket.
struct IpEndpoint {
  IpAddress ip;
  std::uint16_t port = 0;
  std::uint32_t scope = 0;  ///< IPv6 zone index, 0 where it has none

  /// "192.0.2.1:4001", "[2001:db8::1]:4001", "[fe80::1%2]:4001". kInvalidArgument: anything else.
  static Result<IpEndpoint> parse(std::string_view text);
  std::string to_string() const;
  friend auto operator<=>(const IpEndpoint&, const IpEndpoint&) = default;
};

struct IpEndpointHash {
  std::size_t operator()(const IpEndpoint&) const noexcept;  ///< stable across runs
};

/// `/ip4/A/udp/P/quic-v1[/p2p/ID]` or the ip6 form, also behind an ip6zone that is a number, to its
/// endpoint; empty for any other address.
std::optional<IpEndpoint> quic_endpoint(const Multiaddr& address);
/// The other direction.
Multiaddr quic_multiaddr(const IpEndpoint& endpoint);
/// The IP address that a multiaddr begins with, also behind a zone; empty for any other.
std::optional<IpAddress> ip_address(const Multiaddr& address);
/// As quic_endpoint() and quic_multiaddr(), of `/ip4/A/tcp/P[/p2p/ID]`.
std::optional<IpEndpoint> tcp_endpoint(const Multiaddr& address);
Multiaddr tcp_multiaddr(const IpEndpoint& endpoint);

/// Where a WebSocket is reached.
struct WebAddress {
  IpEndpoint endpoint;
  bool tls = false;
  std::string host{};  ///< whose certificate it shows, where that is not the IP address; only with tls

  friend bool operator==(const WebAddress&, const WebAddress&) = default;
};

/// `/ip4/A/tcp/P/ws`, `…/wss`, `…/tls/ws` or `…/tls/sni/HOST/ws`, perhaps with a peer's id behind it; empty
/// for any other address.
std::optional<WebAddress> web_address(const Multiaddr& address);
/// The other direction, with `/tls/ws` for what `/wss` says too. REQUIRES a host of at most 255 bytes.
Multiaddr web_multiaddr(const WebAddress& address);

}  // namespace p2pa
