#include "runtime/host.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "base/assert.hpp"
#include "convert.hpp"

namespace p2pa::capi {

namespace {
constexpr Error kFine{Code::kOk, 0, ""};

std::uint32_t kind_of(NodeEvent::Kind kind) {
  switch (kind) {
    case NodeEvent::Kind::kListening: return P2PA_EVENT_LISTENING;
    case NodeEvent::Kind::kListenFailed: return P2PA_EVENT_LISTEN_FAILED;
    case NodeEvent::Kind::kConnected: return P2PA_EVENT_CONNECTED;
    case NodeEvent::Kind::kDisconnected: return P2PA_EVENT_DISCONNECTED;
    case NodeEvent::Kind::kIdentified: return P2PA_EVENT_IDENTIFIED;
    case NodeEvent::Kind::kPathChanged: return P2PA_EVENT_PATH_CHANGED;
    case NodeEvent::Kind::kRefused: return P2PA_EVENT_REFUSED;
    case NodeEvent::Kind::kClosed: return P2PA_EVENT_CLOSED;
    case NodeEvent::Kind::kDialed:
    case NodeEvent::Kind::kDialFailed: break;  // a host that asked has its DIAL_DONE
  }
  return P2PA_EVENT_NONE;
}
}  // namespace

Host::Host(const Limits& bounds)
    : limits(bounds), events(bounds) {
  closed_event = events.promise(P2PA_EVENT_CLOSED, EventPool::For::kHost);
}

Host::~Host() {
  // A node whose invariants are broken is left as it is: running its destructors could break more.
  if (broken_invariant) (void)node.release();
}

Result<void> Host::open(NodeOptions options) {
  auto opened = Node::open(std::move(options));
  if (!opened) return std::unexpected(opened.error());
  node = std::move(*opened);
  self = node->id();
  node->on_event([this](const NodeEvent& event) {
    in_turn([&] {
      if (event.kind != NodeEvent::Kind::kClosed) return tell_notification(event);
      Outbox::Payloads spent;
      const Lock lock(mutex);
      end_all({Code::kClosed, 0, "the node is closed"}, kFine, spent);
    });
  });
  node->on_datagram([this](const PeerId& from, ByteView payload) { tell_payload(P2PA_EVENT_DATAGRAM, from, payload); });
  node->on_session_message([this](const PeerId& from, const SessionMessage& message) {
    tell_payload(P2PA_EVENT_SESSION_MESSAGE, from, message.bytes, [&](Event& event) {
      event.delivery = static_cast<std::uint32_t>(message.delivery) + P2PA_DELIVERY_UNRELIABLE;
      event.session_channel = message.channel;
    });
  });
  node->on_lan_message([this](const LanMessage& message) {
    tell_payload(P2PA_EVENT_LAN_MESSAGE, message.from, message.bytes,
                 [&](Event& event) { event.name.assign(message.topic); });
  });
  node->on_message([this](const PeerId& from, ByteView message) { tell_payload(P2PA_EVENT_MESSAGE, from, message); });
  return {};
}

// --- under the lock

Error Host::no_room() const noexcept {
  return {Code::kLimitMemory, std::min(limits.memory_max, limits.memory_per_peer_max), "no room for the payload"};
}

Status Host::accepting() const noexcept {
  if (failure.code != Code::kOk) return status_of(failure);
  return closing || closed ? P2PA_E_CLOSED : P2PA_OK;
}

std::uint64_t Host::next_handle() noexcept { return place_bits | (numbers_used->fetch_add(1) + 1); }

Status Host::schedule() noexcept {
  if (scheduled || closed) return P2PA_OK;
  try {
    const auto posted = node->post([this](Node& running) { drain(running); });
    if (!posted) return status_of(posted.error());
  } catch (...) {
    return status_of_exception();
  }
  scheduled = true;
  return P2PA_OK;
}

Status Host::enqueue(std::size_t bytes, Task task) {
  if (bytes > limits.memory_max) return P2PA_E_MESSAGE_TOO_LARGE;  // not even when nothing waits
  if (tasks.size() >= kTasksMax || bytes > limits.memory_max - task_bytes) return P2PA_E_WOULD_BLOCK;
  if (const Status status = schedule(); status < 0) return status;
  tasks.emplace_back(bytes, std::move(task));
  task_bytes += bytes;
  return P2PA_OK;
}

void Host::tell(Event* event) noexcept {
  if (closed) return events.recycle(event);
  // An answer, or the data of an error: the event comes in any case, and says why it is without.
  if (event->charged < event->data.size() && !events.charge(*event, event->data.size())) {
    events.note_refusal();
    event->error = no_room();
    event->application_code = 0;
    event->text.clear();
    event->data.clear();
  }
  events.push(event);
  changed.notify_all();
}

void Host::release(Event* event) noexcept {
  switch (event->kind) {
    case P2PA_EVENT_REQUEST:
    case P2PA_EVENT_CALL_MESSAGE:
    case P2PA_EVENT_CALL_WRITABLE: return calls.reclaim(event);
    case P2PA_EVENT_STREAM_DATA:
    case P2PA_EVENT_STREAM_WRITABLE: return streams.reclaim(event);
    default: return events.recycle(event);
  }
}

void Host::end_all(const Error& operations_end, const Error& node_end,
                   Outbox::Payloads& spent) noexcept {
  if (closed) return;
  calls.end_all(operations_end, spent);
  streams.end_all(operations_end, spent);
  channels.end_all(operations_end);
  operations.end_all(operations_end);
  closed_event->error = node_end;
  tell(std::exchange(closed_event, nullptr));
  closed = true;
  changed.notify_all();
}

// --- without it

Status Host::close() {
  const Lock lock(mutex);
  if (failure.code != Code::kOk) return status_of(failure);
  if (closing || closed) return P2PA_OK;
  // Not through enqueue(): closing must work when every bound is reached.
  if (const Status status = schedule(); status < 0) return status;
  tasks.emplace_back(0, [](Node& running) { running.close(); });
  closing = true;
  return P2PA_OK;
}

void Host::drain(Node& running) noexcept {
  std::vector<std::pair<std::size_t, Task>> batch;
  {
    const Lock lock(mutex);
    scheduled = false;
    if (closed) return;
    batch.swap(tasks);
    task_bytes = 0;
  }
  in_turn([&] {
    for (auto& [bytes, task] : batch) task(running);
    calls.serve_waiting(running);
    streams.serve_waiting(running);
  });
  runner.serve_inspections(running);
}

void Host::tell_notification(const NodeEvent& what) {
  const std::uint32_t kind = kind_of(what.kind);
  if (kind == P2PA_EVENT_NONE) return;
  const Lock lock(mutex);
  Event* event = closed ? nullptr : events.promise_notification(kind, what.peer, 0);
  if (event == nullptr) return;
  if (!what.address.empty()) event->address = what.address.to_string();
  event->connection = what.connection;
  event->count = what.count;
  event->error = what.error;
  if (what.last) event->flags |= P2PA_EVENT_FLAG_LAST;
  tell(event);
}

void Host::tell_payload(std::uint32_t kind, const PeerId& from, ByteView payload,
                        const std::function<void(Event&)>& fill) {
  in_turn([&] {
    const Lock lock(mutex);
    Event* event = closed ? nullptr : events.promise_notification(kind, from, payload.size());
    if (event == nullptr) return;
    event->data.assign(payload.begin(), payload.end());
    if (fill) fill(*event);
    tell(event);
  });
}

void Host::note_failure() noexcept {
  const Error bug{Code::kInternal, 0, "a bug of the library, contained"};
  Error what{};
  bool invariant = false;
  try {
    throw;
  } catch (const std::bad_alloc&) {
    what = {Code::kOutOfMemory, 0, "no memory in the middle of a turn"};
  } catch (const AssertionFailure&) {
    what = bug;
    invariant = true;
  } catch (...) {
    what = bug;
  }
  const Lock lock(mutex);
  broken_invariant |= invariant;
  if (failure.code == Code::kOk) failure = what;
  (void)schedule();  // outside of a turn, whoever runs the node must hear of it
}

void Host::bury_if_failed() noexcept {
  Outbox::Payloads spent;
  const Lock lock(mutex);
  if (failure.code != Code::kOk) end_all(failure, failure, spent);
}

void Host::fail(const Error& why) noexcept {
  {
    const Lock lock(mutex);
    if (failure.code == Code::kOk) failure = why;
  }
  bury_if_failed();
}

}  // namespace p2pa::capi
