#pragma once
// Where a proxy is, and where it is to connect us to.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "address/ip_endpoint.hpp"
#include "p2pagents/error.hpp"

namespace p2pa::proxy {

/// A host, by name or by IP address, and a port that is not 0. Only what may stand in a request as it is can
/// be one: a name may come from a peer, and must not carry a line of its own into a header.
class HostPort final {
 public:
  static constexpr std::size_t kNameMax = 253;  ///< RFC 1035 §2.3.4, as text
  static constexpr std::size_t kLabelMax = 63;

  /// An IP address without brackets, or a name: labels of letters, digits, '-' and '_' with dots between
  /// them (international ones as RFC 5890 A-labels), the last not of digits alone, since such a name is
  /// taken for an IPv4 address by many. kInvalidArgument: anything else, or port 0.
  static Result<HostPort> make(std::string_view host, std::uint16_t port);
  /// kInvalidArgument: port 0, or a zone, which means nothing elsewhere.
  static Result<HostPort> make(const IpEndpoint& endpoint);
  /// "name:port", "192.0.2.1:port", "[2001:db8::1]:port". kInvalidArgument: anything else.
  static Result<HostPort> parse(std::string_view text);

  /// The name, or the address without brackets.
  const std::string& host() const { return host_; }
  std::uint16_t port() const { return port_; }
  /// Empty for a name.
  const std::optional<IpAddress>& ip() const { return ip_; }
  /// What parse() reads, which is also the authority of a URL (RFC 3986 §3.2).
  std::string to_string() const;

  friend bool operator==(const HostPort&, const HostPort&) = default;

 private:
  HostPort(std::string host, std::optional<IpAddress> ip, std::uint16_t port)
      : host_(std::move(host)), ip_(ip), port_(port) {}

  std::string host_;
  std::optional<IpAddress> ip_;
  std::uint16_t port_;
};

}  // namespace p2pa::proxy
