#include "entry.hpp"

using namespace p2pa;
using namespace p2pa::capi;

namespace {

/// Runs `code(node, scope, direction)` while nobody else runs the node.
template <class F>
Status with_scope(p2pa_node node, const char* scope, std::size_t scope_size, std::uint32_t direction, F&& code) {
  return with_node(node, [&](Host& host) -> Status {
    std::string_view text;
    if (!read_text(scope, scope_size, text) ||
        (direction != P2PA_DIRECTION_OUTBOUND && direction != P2PA_DIRECTION_INBOUND)) {
      return P2PA_E_INVALID_ARGUMENT;
    }
    {
      const Lock lock(host.mutex);
      if (const Status status = host.accepting(); status < 0) return status;
    }
    return host.runner.change([&](Node& running) {
      return code(running, text, static_cast<Direction>(direction - P2PA_DIRECTION_OUTBOUND));
    });
  });
}

Status status_of(const Result<void>& result) { return result ? P2PA_OK : capi::status_of(result.error()); }

}  // namespace

int32_t p2pa_node_set_rate_limit(p2pa_node node, const char* scope, size_t scope_size, uint32_t direction,
                                 uint64_t bytes_per_second, uint64_t burst_bytes) noexcept {
  return with_scope(node, scope, scope_size, direction, [&](Node& running, std::string_view text, Direction way) {
    return status_of(running.set_rate_limit(text, way, {bytes_per_second, burst_bytes}));
  });
}

int32_t p2pa_node_clear_rate_limit(p2pa_node node, const char* scope, size_t scope_size, uint32_t direction) noexcept {
  return with_scope(node, scope, scope_size, direction, [&](Node& running, std::string_view text, Direction way) {
    return status_of(running.clear_rate_limit(text, way));
  });
}

int32_t p2pa_node_rate_limit(p2pa_node node, const char* scope, size_t scope_size, uint32_t direction,
                             uint64_t* bytes_per_second, uint64_t* burst_bytes) noexcept {
  return with_scope(node, scope, scope_size, direction, [&](Node& running, std::string_view text, Direction way) {
    if (bytes_per_second == nullptr || burst_bytes == nullptr) return P2PA_E_INVALID_ARGUMENT;
    const auto limit = running.rate_limit(text, way);
    if (!limit) return capi::status_of(limit.error());
    if (!*limit) return P2PA_E_NOT_FOUND;
    *bytes_per_second = (*limit)->bytes_per_second;
    *burst_bytes = (*limit)->burst_bytes;
    return P2PA_OK;
  });
}
