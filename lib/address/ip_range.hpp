#pragma once
#include <compare>
#include <string>
#include <string_view>

#include "address/ip_endpoint.hpp"

namespace p2pa {

/// The addresses that begin with the same bits (RFC 4632, RFC 4291 §2.3).
class IpRange {
 public:
  /// "192.0.2.0/24", "2001:db8::/32", or one address. kInvalidArgument: anything else, also with bits
  /// set behind the prefix: whoever writes those means something else.
  static Result<IpRange> parse(std::string_view text);
  bool contains(const IpAddress& ip) const;
  std::string to_string() const;

  friend auto operator<=>(const IpRange&, const IpRange&) = default;

 private:
  IpRange(const IpAddress& first, unsigned prefix) : first_(first), prefix_(prefix) {}

  IpAddress first_;
  unsigned prefix_;
};

}  // namespace p2pa
