#pragma once
#include <string>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa::dns {

inline constexpr std::size_t kNameMax = 253;  // RFC 1035 §2.3.4, as text without the dot at the end
inline constexpr std::size_t kLabelMax = 63;  // RFC 1035 §2.3.4

/// The name in lower case, without a dot at its end: equal names are equal texts. kMalformed: too long, a
/// label that is empty or too long, or a character that no host has (RFC 1123 §2.1; the underscore, which
/// names of services have, is let through). Names of other scripts come as their A-labels (RFC 5890).
Result<std::string> host_name(ByteView name);

}  // namespace p2pa::dns
