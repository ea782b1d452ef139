#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "p2pagents/error.hpp"
#include "transport/layer/byte_layer.hpp"
#include "transport/proxy/credentials.hpp"
#include "transport/proxy/host_port.hpp"

namespace p2pa::proxy {

/// A proxy as people write it down: `http://host:port`, `socks5://user:password@host:port`.
struct ProxyUrl {
  enum class Scheme : std::uint8_t { kHttp, kSocks5 };
  static constexpr std::size_t kTextMax = 2048;  ///< bytes

  Scheme scheme;
  HostPort proxy;
  std::optional<Credentials> credentials;

  /// RFC 3986 with nothing behind the port but perhaps one '/', the port always said, user and password
  /// percent-encoded where they need to be. Without a ':' the password is empty, which SOCKS does not allow.
  /// kUnsupported: another scheme. kInvalidArgument: anything else.
  static Result<ProxyUrl> parse(std::string_view text);

  /// For people: without the credentials.
  std::string to_string() const;
  /// The layer that asks this proxy for `target`, over a socket that is connected to the proxy. REQUIRES
  /// credentials as parse() makes them.
  std::unique_ptr<ByteLayer> layer(HostPort target) const;

  friend bool operator==(const ProxyUrl&, const ProxyUrl&) = default;
};

}  // namespace p2pa::proxy
