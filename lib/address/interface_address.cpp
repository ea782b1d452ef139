#include "address/interface_address.hpp"

#include <algorithm>
#include <bit>

namespace p2pa {

bool InterfaceAddress::reaches(const IpAddress& other) const {
  if (ip.v6 != other.v6) return false;
  const std::size_t bits = std::min<std::size_t>(prefix_bits, ip.v6 ? 128 : 32);
  const auto whole = static_cast<std::ptrdiff_t>(bits / 8);
  if (!std::equal(ip.bytes.begin(), ip.bytes.begin() + whole, other.bytes.begin())) return false;
  const std::size_t rest = bits % 8;
  const auto next = static_cast<std::size_t>(whole);
  return rest == 0 || (ip.bytes[next] ^ other.bytes[next]) >> (8 - rest) == 0;
}

std::uint8_t prefix_bits(const IpAddress& netmask) {
  int bits = 0;
  for (std::size_t i = 0; i < (netmask.v6 ? 16u : 4u); ++i) {
    const int ones = std::countl_one(netmask.bytes[i]);
    bits += ones;
    if (ones < 8) break;
  }
  return static_cast<std::uint8_t>(bits);
}

}  // namespace p2pa
