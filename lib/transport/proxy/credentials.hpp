#pragma once
#include <cstddef>
#include <string>

namespace p2pa::proxy {

/// Who we say we are to a proxy. Both ways of saying so are readable by whoever sees the bytes, so that these
/// are not wiped either.
struct Credentials {
  static constexpr std::size_t kPartMax = 255;  ///< bytes of either: RFC 1929 has one for the length

  std::string user;
  std::string password;

  /// May they stand in an `Authorization: Basic` (RFC 7617 §2)? No control characters, no ':' in the user.
  bool fit_basic() const;
  /// May they stand in SOCKS's sub-negotiation (RFC 1929 §2)? Neither is empty.
  bool fit_socks() const;

  friend bool operator==(const Credentials&, const Credentials&) = default;
};

}  // namespace p2pa::proxy
