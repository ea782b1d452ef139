#include "entry.hpp"

using namespace p2pa;
using namespace p2pa::capi;

namespace {

bool read_scope(const char* text, std::size_t size, std::uint32_t direction, std::string_view& scope, Direction& way) {
  if (direction != P2PA_DIRECTION_OUTBOUND && direction != P2PA_DIRECTION_INBOUND) return false;
  way = static_cast<Direction>(direction - P2PA_DIRECTION_OUTBOUND);
  return read_text(text, size, scope);
}

}  // namespace

int32_t p2pa_node_set_rate_limit(p2pa_node node, const char* scope, size_t scope_size, uint32_t direction,
                                 uint64_t bytes_per_second, uint64_t burst_bytes) noexcept {
  return change_node(node, [&](Node& running) -> Status {
    std::string_view text;
    Direction way{};
    if (!read_scope(scope, scope_size, direction, text, way)) return P2PA_E_INVALID_ARGUMENT;
    return status_of(running.set_rate_limit(text, way, {bytes_per_second, burst_bytes}));
  });
}

int32_t p2pa_node_clear_rate_limit(p2pa_node node, const char* scope, size_t scope_size, uint32_t direction) noexcept {
  return change_node(node, [&](Node& running) -> Status {
    std::string_view text;
    Direction way{};
    if (!read_scope(scope, scope_size, direction, text, way)) return P2PA_E_INVALID_ARGUMENT;
    return status_of(running.clear_rate_limit(text, way));
  });
}

int32_t p2pa_node_rate_limit(p2pa_node node, const char* scope, size_t scope_size, uint32_t direction,
                             uint64_t* bytes_per_second, uint64_t* burst_bytes) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    std::string_view text;
    Direction way{};
    if (!read_scope(scope, scope_size, direction, text, way) || bytes_per_second == nullptr || burst_bytes == nullptr) {
      return P2PA_E_INVALID_ARGUMENT;
    }
    return host.runner.inspect([&](const Node& running) -> Status {
      const auto limit = running.rate_limit(text, way);
      if (!limit) return status_of(limit.error());
      if (!*limit) return P2PA_E_NOT_FOUND;
      *bytes_per_second = (*limit)->bytes_per_second;
      *burst_bytes = (*limit)->burst_bytes;
      return P2PA_OK;
    });
  });
}
