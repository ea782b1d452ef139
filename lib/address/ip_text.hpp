#pragma once
// IP addresses as text, each family by itself.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "p2pagents/bytes.hpp"

namespace p2pa {

using Ip4Bytes = std::array<std::uint8_t, 4>;
using Ip6Bytes = std::array<std::uint8_t, 16>;

/// Four decimal numbers without leading zeros (RFC 6943 §3.1.1, the strict form).
std::optional<Ip4Bytes> parse_ip4(std::string_view text);
/// RFC 4291 §2.2, also with a dotted end; no zone.
std::optional<Ip6Bytes> parse_ip6(std::string_view text);

/// REQUIRES 4 bytes.
void append_ip4(std::string& out, ByteView bytes);
/// RFC 5952; REQUIRES 16 bytes.
void append_ip6(std::string& out, ByteView bytes);

/// A decimal number of digits alone, at most `max`.
std::optional<std::uint64_t> parse_decimal(std::string_view text, std::uint64_t max);

}  // namespace p2pa
