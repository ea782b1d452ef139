#include "entry.hpp"

using namespace p2pa;
using namespace p2pa::capi;

int32_t p2pa_node_poll(p2pa_node node, int64_t timeout_us, uint32_t budget) noexcept {
  return with_node(node, [&](Host& host) { return host.runner.poll(timeout_us, budget); });
}

int32_t p2pa_node_wakeup_fd(p2pa_node node, intptr_t* fd) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    if (fd == nullptr) return P2PA_E_INVALID_ARGUMENT;
    const Lock lock(host.mutex);
    if (host.runner.threaded()) return P2PA_E_INVALID_STATE;
    *fd = host.node->wakeup_fd();
    return P2PA_OK;
  });
}

int32_t p2pa_node_next_deadline(p2pa_node node, int64_t* in_us) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    if (in_us == nullptr) return P2PA_E_INVALID_ARGUMENT;
    {
      const Lock lock(host.mutex);
      if (host.runner.threaded()) return P2PA_E_INVALID_STATE;
    }
    return host.runner.inspect([&](const Node& running) -> Status {
      const Instant next = running.next_deadline();
      const Instant now = running.now();
      // Rounded up: who polls then must not be early.
      *in_us = next == kNever ? -1 : next <= now ? 0 : ((next - now).ns + 999) / 1000;
      return P2PA_OK;
    });
  });
}

int32_t p2pa_node_start_thread(p2pa_node node) noexcept {
  return with_node(node, [](Host& host) { return host.runner.start_thread(); });
}

int32_t p2pa_node_stop_thread(p2pa_node node) noexcept {
  return with_node(node, [](Host& host) { return host.runner.stop_thread(); });
}
