#pragma once
#include <string_view>

#include "address/ip_endpoint.hpp"

namespace p2pa::dns {

inline constexpr std::uint16_t kServerPort = 53;

/// Where a name server listens: "192.0.2.53", "192.0.2.53:5353", "[2001:db8::53]:5353"; without a port it is
/// kServerPort. kInvalidArgument: anything else, zones and unspecified addresses included.
Result<IpEndpoint> parse_server(std::string_view text);

}  // namespace p2pa::dns
