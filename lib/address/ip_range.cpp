#include "address/ip_range.hpp"

#include <algorithm>
#include <charconv>

namespace p2pa {
namespace {

unsigned bits_of(const IpAddress& ip) { return ip.v6 ? 128 : 32; }

/// What is left of an address when all behind its prefix is cut.
IpAddress cut(IpAddress ip, unsigned prefix) {
  for (unsigned i = 0; i < ip.bytes.size(); ++i) {
    const unsigned kept = prefix > 8 * i ? std::min(prefix - 8 * i, 8u) : 0;
    ip.bytes[i] = static_cast<std::uint8_t>(ip.bytes[i] & (0xff00u >> kept));
  }
  return ip;
}

}  // namespace

Result<IpRange> IpRange::parse(std::string_view text) {
  constexpr const char* kWhy = "not an IP address or a range of them";
  const std::size_t slash = text.find('/');
  const auto first = IpAddress::parse(text.substr(0, slash));
  if (!first) return fail(Code::kInvalidArgument, kWhy);
  unsigned prefix = bits_of(*first);
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const char* end = digits.data() + digits.size();
    const auto [read_to, error] = std::from_chars(digits.data(), end, prefix);
    if (error != std::errc{} || read_to != end || prefix > bits_of(*first)) return fail(Code::kInvalidArgument, kWhy);
  }
  if (cut(*first, prefix) != *first) return fail(Code::kInvalidArgument, "the range has bits behind its prefix");
  return IpRange(*first, prefix);
}

bool IpRange::contains(const IpAddress& ip) const { return ip.v6 == first_.v6 && cut(ip, prefix_) == first_; }

std::string IpRange::to_string() const { return first_.to_string() + "/" + std::to_string(prefix_); }

}  // namespace p2pa
