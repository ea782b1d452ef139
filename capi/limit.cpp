#include <algorithm>

#include "entry.hpp"

using namespace p2pa;
using namespace p2pa::capi;

namespace {
/// The bound that is the C face's own comes after those of the node.
constexpr std::uint32_t kEvents = LimitCounters::kCount;
}  // namespace

int32_t p2pa_node_limit_refusals(p2pa_node node, uint32_t limit, uint64_t* refused) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    if (refused == nullptr) return P2PA_E_INVALID_ARGUMENT;
    if (limit > kEvents) return P2PA_E_NOT_FOUND;
    return host.runner.inspect([&](const Node& running) -> Status {
      if (limit < kEvents) {
        *refused = running.limit_counters().refused[limit];
      } else {
        const Lock lock(host.mutex);
        *refused = host.events.refused();
      }
      return P2PA_OK;
    });
  });
}

int32_t p2pa_node_drops(p2pa_node node, uint32_t reason, uint64_t* dropped) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    if (dropped == nullptr) return P2PA_E_INVALID_ARGUMENT;
    if (reason >= DropCounters::kCount) return P2PA_E_NOT_FOUND;
    return host.runner.inspect([&](const Node& running) -> Status {
      *dropped = running.drop_counters().dropped[reason];
      return P2PA_OK;
    });
  });
}

int32_t p2pa_node_usage(p2pa_node node, p2pa_usage* usage) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    if (!writable(usage)) return P2PA_E_INVALID_ARGUMENT;
    p2pa_usage out;
    p2pa_usage_init(&out);
    const Status status = host.runner.inspect([&](const Node& running) -> Status {
      const LimitUsage used = running.usage();
      out.handshakes = used.handshakes;
      out.connections = used.connections;
      out.streams = used.streams;
      out.calls = used.calls;
      out.memory = used.memory;
      return P2PA_OK;
    });
    if (status < 0) return status;
    const Lock lock(host.mutex);
    out.events = host.events.used();
    out.event_bytes = host.events.bytes();
    write_struct(out, usage);
    return P2PA_OK;
  });
}

const char* p2pa_drop_name(uint32_t reason) noexcept {
  constexpr std::uint32_t kPastAll = DropCounters::kCount;
  return DropCounters::name(static_cast<DropCounters::Which>(std::min(reason, kPastAll))).data();  // a literal
}

const char* p2pa_limit_name(uint32_t limit) noexcept {
  if (limit == kEvents) return "events";
  if (limit > kEvents) return "unknown";
  return LimitCounters::name(static_cast<LimitCounters::Which>(limit)).data();  // a literal
}
