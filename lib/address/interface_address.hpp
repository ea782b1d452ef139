#pragma once
#include <cstdint>
#include <vector>

#include "address/ip_endpoint.hpp"

namespace p2pa {

/// An address of one of our interfaces, and how much of it names the network that it is in.
struct InterfaceAddress {
  IpAddress ip;
  std::uint8_t prefix_bits = 0;  ///< 0 to 32, of IPv6 to 128
  std::uint32_t scope = 0;       ///< of a link-local IPv6 address: the number of its interface

  /// Is the other one in the same subnet?
  bool reaches(const IpAddress& other) const;
  friend auto operator<=>(const InterfaceAddress&, const InterfaceAddress&) = default;
};

/// The number of leading ones of a netmask, as it stands in an InterfaceAddress.
std::uint8_t prefix_bits(const IpAddress& netmask);

}  // namespace p2pa
