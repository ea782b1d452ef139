#include "p2pagents/lan.hpp"

namespace p2pa {

std::string_view LanCounters::name(Which which) noexcept {
  static constexpr std::string_view kNames[kCount] = {
      "malformed", "other_network", "off_link", "gated", "not_joined", "duplicate",
      "rate_limited", "bad_signature", "unproven", "stale", "full"};
  return which < kCount ? kNames[which] : std::string_view{"unknown"};
}

}  // namespace p2pa
