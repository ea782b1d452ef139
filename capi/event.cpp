#include <cstring>

#include "entry.hpp"

using namespace p2pa;
using namespace p2pa::capi;

namespace {

/// Shows a lent event to the host.
Status lend(Host& host, const Event& event, p2pa_event* out) {
  p2pa_event shown;
  {
    const Lock lock(host.mutex);
    show(event, host, shown);
  }
  write_struct(shown, out);
  return P2PA_OK;
}

}  // namespace

int32_t p2pa_node_next_event(p2pa_node node, p2pa_event* event) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    if (!writable(event)) return P2PA_E_INVALID_ARGUMENT;
    const Event* next = nullptr;
    {
      const Lock lock(host.mutex);
      if (host.callback != nullptr) return P2PA_E_INVALID_STATE;
      next = host.events.pop(Event::Place::kLent);
    }
    return next == nullptr ? P2PA_NONE : lend(host, *next, event);
  });
}

int32_t p2pa_node_wait_event(p2pa_node node, int64_t timeout_us, p2pa_event* event) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    if (!writable(event)) return P2PA_E_INVALID_ARGUMENT;
    Event* next = nullptr;
    const Status status = host.runner.wait_event(timeout_us, &next);
    return next == nullptr ? status : lend(host, *next, event);
  });
}

int32_t p2pa_event_release(p2pa_event* event) noexcept {
  if (!writable(event)) return P2PA_E_INVALID_ARGUMENT;
  const std::uint64_t token = event->token;
  const p2pa_node node = event->node;
  p2pa_event cleared;
  p2pa_event_init(&cleared);
  write_struct(cleared, event);
  if (token == 0) return P2PA_OK;
  return with_node(node, [&](Host& host) -> Status {
    const Lock lock(host.mutex);
    Event* lent = host.events.find_lent(token);
    if (lent == nullptr) return P2PA_E_STALE_HANDLE;
    host.release(lent);
    return P2PA_OK;
  });
}

int32_t p2pa_event_dial_attempt(const p2pa_event* event, size_t index, p2pa_dial_attempt* attempt) noexcept {
  if (!writable(event) || !writable(attempt)) return P2PA_E_INVALID_ARGUMENT;
  return with_node(event->node, [&](Host& host) -> Status {
    const Lock lock(host.mutex);
    const Event* seen = host.events.find_seen(event->token);
    if (seen == nullptr) return P2PA_E_STALE_HANDLE;
    if (index >= seen->attempts.size()) return P2PA_E_NOT_FOUND;
    const auto& [told, address] = seen->attempts[index];
    p2pa_dial_attempt out;
    p2pa_dial_attempt_init(&out);
    out.stage = static_cast<std::uint32_t>(told.stage);
    out.status = status_of(told.error);
    out.detail = told.error.detail;
    out.started_ns = told.started.ns;
    out.took_ns = told.took.ns;
    out.address = {address.c_str(), address.size()};
    out.text = {told.error.why, std::strlen(told.error.why)};
    write_struct(out, attempt);
    return P2PA_OK;
  });
}

const char* p2pa_dial_stage_name(uint32_t stage) noexcept {
  return stage > 0xff ? "unknown" : dial_stage_name(static_cast<DialStage>(stage)).data();
}

int32_t p2pa_node_set_event_callback(p2pa_node node, p2pa_event_fn fn, void* ctx,
                                     p2pa_drop_fn drop) noexcept {
  // Made by hand, so that `drop` is called when there is no memory for what would call it.
  std::shared_ptr<EventCallback> fresh;
  const Status made = guarded([&]() -> Status {
    if (fn != nullptr) fresh = std::make_shared<EventCallback>(fn, ctx, drop);
    return P2PA_OK;
  });
  if (fresh == nullptr && drop != nullptr) drop(ctx);
  if (made < 0) return made;
  return with_node(node, [&](Host& host) -> Status {
    const Lock lock(host.mutex);
    fresh.swap(host.callback);  // the old one goes when the lock is gone
    host.changed.notify_all();
    return P2PA_OK;
  });
}

const char* p2pa_event_name(uint32_t kind) noexcept {
  switch (kind) {
    case P2PA_EVENT_NONE: return "none";
    case P2PA_EVENT_DIAL_DONE: return "dial_done";
    case P2PA_EVENT_PING_DONE: return "ping_done";
    case P2PA_EVENT_PERF_DONE: return "perf_done";
    case P2PA_EVENT_CALL_DONE: return "call_done";
    case P2PA_EVENT_NOTIFY_DONE: return "notify_done";
    case P2PA_EVENT_STREAM_OPEN_DONE: return "stream_open_done";
    case P2PA_EVENT_CHANNEL_OPEN_DONE: return "channel_open_done";
    case P2PA_EVENT_REQUEST: return "request";
    case P2PA_EVENT_CALL_INCOMING: return "call_incoming";
    case P2PA_EVENT_CALL_MESSAGE: return "call_message";
    case P2PA_EVENT_CALL_FINISHED: return "call_finished";
    case P2PA_EVENT_CALL_WRITABLE: return "call_writable";
    case P2PA_EVENT_CALL_ENDED: return "call_ended";
    case P2PA_EVENT_STREAM_INCOMING: return "stream_incoming";
    case P2PA_EVENT_STREAM_DATA: return "stream_data";
    case P2PA_EVENT_STREAM_FINISHED: return "stream_finished";
    case P2PA_EVENT_STREAM_WRITABLE: return "stream_writable";
    case P2PA_EVENT_STREAM_ENDED: return "stream_ended";
    case P2PA_EVENT_CHANNEL_ENDED: return "channel_ended";
    case P2PA_EVENT_LISTENING: return "listening";
    case P2PA_EVENT_LISTEN_FAILED: return "listen_failed";
    case P2PA_EVENT_CONNECTED: return "connected";
    case P2PA_EVENT_DISCONNECTED: return "disconnected";
    case P2PA_EVENT_IDENTIFIED: return "identified";
    case P2PA_EVENT_PATH_CHANGED: return "path_changed";
    case P2PA_EVENT_DATAGRAM: return "datagram";
    case P2PA_EVENT_MESSAGE: return "message";
    case P2PA_EVENT_SESSION_MESSAGE: return "session_message";
    case P2PA_EVENT_REFUSED: return "refused";
    case P2PA_EVENT_LAN_MESSAGE: return "lan_message";
    case P2PA_EVENT_CLOSED: return "closed";
    default: return "unknown";
  }
}
