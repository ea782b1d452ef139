#include "runtime/streams.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "runtime/host.hpp"
#include "runtime/opening.hpp"

namespace p2pa::capi {

namespace {
constexpr Channel::Kinds kKinds{P2PA_EVENT_STREAM_DATA, P2PA_EVENT_STREAM_FINISHED,
                                P2PA_EVENT_STREAM_WRITABLE, P2PA_EVENT_STREAM_ENDED};
/// What a stream is reset with when the host's queue has no place for it.
constexpr std::uint64_t kResourceLimit = 0x1002;  // spec: libp2p error codes, STREAM_RESOURCE_LIMIT
}  // namespace

// --- the host's threads

std::uint64_t Streams::prepare(const PeerId& peer, EventPool::For whom) {
  const std::uint64_t id = host_.next_handle();
  State& state = streams_.add(id);
  try {
    state.channel.peer = peer;
    if (state.channel.promise(host_.events, kKinds, whom)) return id;
  } catch (...) {
    forget(id);
    throw;
  }
  forget(id);
  return 0;
}

void Streams::forget(std::uint64_t handle) noexcept {
  if (State* state = streams_.find(handle)) state->channel.withdraw(host_.events);
  streams_.remove(handle);
}

Status Streams::open(const PeerId& peer, std::string_view protocol, std::uint64_t* op) {
  const auto start = [this, peer, name = std::string(protocol)](Node& node, std::uint64_t id, std::uint64_t handle) {
    node.open_stream(peer, name, [this, id, handle](Result<AgentStream*> opened) {
      host_.in_turn([&] { on_opened(id, handle, opened); });
    });
  };
  return begin_opening(
      host_, P2PA_EVENT_STREAM_OPEN_DONE, peer, op, [&] { return prepare(peer, EventPool::For::kHost); }, start,
      [this](std::uint64_t handle) noexcept { forget(handle); });
}

Status Streams::find_sending(std::uint64_t handle, State*& state) {
  state = streams_.find(handle);
  if (state == nullptr || state->channel.core == 0) return P2PA_E_STALE_HANDLE;
  if (const Status status = host_.accepting(); status < 0) return status;
  if (state->channel.finishing) return P2PA_E_STREAM_FINISHED;
  return P2PA_OK;
}

Status Streams::wake(State& state) noexcept {
  if (const Status status = host_.schedule(); status < 0) return status;
  streams_.wait(state.channel);
  return P2PA_OK;
}

Status Streams::write(std::uint64_t handle, ByteView bytes, std::size_t* taken) {
  const Lock lock(host_.mutex);
  State* state = nullptr;
  if (const Status status = find_sending(handle, state); status < 0) return status;
  Channel& channel = state->channel;
  const std::size_t size = std::min(bytes.size(), channel.outbox.room());
  Outbox::Payloads payload;
  if (size > 0) {
    payload.emplace_back(bytes.first(size));
    if (const Status status = wake(*state); status < 0) return status;
    channel.outbox.add(std::move(payload));
  }
  if (size < bytes.size()) channel.wants_writable = true;
  *taken = size;
  return size == 0 && !bytes.empty() ? P2PA_E_WOULD_BLOCK : P2PA_OK;
}

Status Streams::write_take(std::uint64_t handle, Outbox::Payloads& payload) {
  const Lock lock(host_.mutex);
  State* state = nullptr;
  if (const Status status = find_sending(handle, state); status < 0) return status;
  if (state->channel.outbox.room() == 0) {
    state->channel.wants_writable = true;
    return P2PA_E_WOULD_BLOCK;
  }
  if (const Status status = wake(*state); status < 0) return status;
  state->channel.outbox.add(std::move(payload));
  return P2PA_OK;
}

Status Streams::finish(std::uint64_t handle) {
  const Lock lock(host_.mutex);
  State* state = nullptr;
  if (const Status status = find_sending(handle, state); status < 0) return status;
  if (const Status status = wake(*state); status < 0) return status;
  state->channel.finishing = true;
  return P2PA_OK;
}

Status Streams::set_priority(std::uint64_t handle, Priority priority) {
  const Lock lock(host_.mutex);
  State* state = streams_.find(handle);
  if (state == nullptr || state->channel.core == 0) return P2PA_E_STALE_HANDLE;
  if (const Status status = host_.accepting(); status < 0) return status;
  if (const Status status = wake(*state); status < 0) return status;
  state->channel.priority = priority;
  return P2PA_OK;
}

Status Streams::reset(std::uint64_t handle, std::uint64_t code) {
  const Lock lock(host_.mutex);
  State* state = streams_.find(handle);
  if (state == nullptr || state->channel.core == 0) return P2PA_E_STALE_HANDLE;
  if (const Status status = host_.accepting(); status < 0) return status;
  if (const Status status = wake(*state); status < 0) return status;
  if (!state->reset_code) state->reset_code = code;
  state->channel.finishing = true;
  return P2PA_OK;
}

// --- in the node's turn: what the host asked for

void Streams::serve_waiting(Node& node) {
  streams_.serve_waiting(host_.mutex, [&](std::uint64_t handle) { serve(handle, node); });
}

void Streams::serve(std::uint64_t handle, Node& node) {
  Outbox::Payloads spent;
  std::unique_ptr<State> gone;
  AgentStream* stream = nullptr;
  std::optional<std::uint64_t> reset_code;
  std::optional<Priority> priority;
  {
    const Lock lock(host_.mutex);
    State* state = streams_.find(handle);
    if (state == nullptr || state->channel.core == 0) return;
    stream = node.find_stream(state->channel.core);
    if (stream == nullptr) return;
    state->channel.resume_due = false;
    reset_code = state->reset_code;
    priority = std::exchange(state->channel.priority, std::nullopt);
    if (reset_code) {
      // The host is done with it, so it hears of the end now and of nothing that comes after.
      gone = streams_.remove(handle);
      tell_end(*gone, {Code::kCancelled, 0, "reset by its owner"});
    }
  }
  if (reset_code) return stream->reset(*reset_code);
  if (priority) stream->set_priority(*priority);
  pump(handle, *stream, false);
  flush(handle, *stream);
}

void Streams::flush(std::uint64_t handle, AgentStream& stream) {
  Outbox::Payloads spent;
  for (;;) {
    Lock lock(host_.mutex);
    State* state = streams_.find(handle);
    if (state == nullptr) return;
    Channel& channel = state->channel;
    tell(channel, channel.take_writable());
    if (channel.outbox.empty()) {
      if (!channel.finishing || std::exchange(channel.finish_done, true)) return;
      lock.unlock();
      return stream.finish();
    }
    const ByteView bytes = channel.outbox.front();
    lock.unlock();
    const Result<std::size_t> taken = stream.write(bytes);
    lock.lock();
    if (!taken) {
      channel.outbox.drop_all(spent);  // the peer reads no more, or the stream is over
      continue;
    }
    channel.outbox.sent(*taken, spent);
    if (*taken == bytes.size()) continue;
    tell(channel, channel.take_writable());
    return;
  }
}

void Streams::pump(std::uint64_t handle, AgentStream& stream, bool last) {
  for (;;) {
    const ByteView there = stream.peek();
    Event* event = nullptr;
    std::size_t size = 0;
    std::unique_ptr<State> gone;
    {
      const Lock lock(host_.mutex);
      State* state = streams_.find(handle);
      if (state == nullptr) return;
      Channel& channel = state->channel;
      if (there.empty()) {
        if (stream.at_end()) tell(channel, std::exchange(channel.finished, nullptr));
        return;
      }
      if (last && channel.data == nullptr) {
        channel.data = host_.events.promise(P2PA_EVENT_STREAM_DATA, EventPool::For::kPeer);
      }
      event = channel.data;
      if (event == nullptr) return;
      event->peer = channel.peer;
      size = std::min(there.size(), host_.events.has_room(channel.peer) ? kChunkBytesMax : kScarceChunkBytesMax);
      if (host_.events.charge(*event, size)) {
        channel.data = nullptr;
      } else {
        channel.paused = channel.events_out > 0;
        if (last || channel.paused) return;  // it goes on when the host releases what it has
        host_.events.note_refusal();
        gone = streams_.remove(handle);
        tell_end(*gone, host_.no_room());
      }
    }
    if (gone != nullptr) return stream.reset(kResourceLimit);
    event->data.assign(there.begin(), there.begin() + static_cast<std::ptrdiff_t>(size));
    stream.consume(size);
    const Lock lock(host_.mutex);
    State* state = streams_.find(handle);
    state->channel.spend_data(host_.events, event);
    tell(state->channel, event);
  }
}

// --- in the node's turn: what the node tells

void Streams::on_incoming(AgentStream& stream) {
  std::uint64_t handle = 0;
  Event* incoming = nullptr;
  {
    const Lock lock(host_.mutex);
    if (host_.closed) return;
    handle = prepare(stream.peer(), EventPool::For::kPeer);
    if (handle != 0) incoming = host_.events.promise(P2PA_EVENT_STREAM_INCOMING, EventPool::For::kPeer);
    if (incoming == nullptr) {
      forget(handle);
      host_.events.note_refusal();
    }
  }
  if (incoming == nullptr) return stream.reset(kResourceLimit);
  incoming->name = stream.protocol();
  attach(handle, stream);
  const Lock lock(host_.mutex);
  tell(streams_.find(handle)->channel, incoming);
}

void Streams::on_opened(std::uint64_t op, std::uint64_t handle, Result<AgentStream*> opened) {
  const auto attach_it = [&](Event& event, AgentStream& stream) {
    event.stream = handle;
    attach(handle, stream);
  };
  finish_opening(
      host_, op, handle, opened, attach_it, [](AgentStream& stream) { stream.reset(0); },
      [this](std::uint64_t gone) noexcept { forget(gone); });
}

void Streams::attach(std::uint64_t handle, AgentStream& stream) {
  {
    const Lock lock(host_.mutex);
    streams_.find(handle)->channel.core = stream.id();
  }
  AgentStreamHandler handler;
  handler.on_readable = [this, handle](AgentStream& s) {
    host_.in_turn([&] { pump(handle, s, false); });
  };
  handler.on_writable = [this, handle](AgentStream& s) { host_.in_turn([&] { flush(handle, s); }); };
  handler.on_end = [this, handle](AgentStream& s, const Error& why) {
    host_.in_turn([&] { on_end(handle, s, why); });
  };
  stream.set_handler(std::move(handler));
}

void Streams::on_end(std::uint64_t handle, AgentStream& stream, const Error& why) {
  Error end = why;
  if (why.code == Code::kOk) {
    pump(handle, stream, true);
    if (!stream.peek().empty()) end = {Code::kLimitMemory, 0, "no event was free for the last bytes"};
  }
  std::unique_ptr<State> gone;  // destroyed after the lock is gone
  const Lock lock(host_.mutex);
  gone = streams_.remove(handle);
  if (gone != nullptr) tell_end(*gone, end);
}

void Streams::tell(const Channel& channel, Event* event) noexcept {
  if (event == nullptr) return;
  event->stream = channel.handle;
  event->peer = channel.peer;
  host_.tell(event);
}

void Streams::tell_end(State& state, const Error& error) noexcept {
  Event* ended = std::exchange(state.channel.ended, nullptr);
  if (ended != nullptr) ended->error = error;
  // A stream that was never opened is the operation's to end.
  if (state.channel.core != 0) tell(state.channel, ended);
  else host_.events.recycle(ended);
  state.channel.withdraw(host_.events);
}

// --- under the lock

void Streams::reclaim(Event* event) noexcept {
  State* state = streams_.find(event->stream);
  if (state == nullptr) return host_.events.recycle(event);
  Channel& channel = state->channel;
  if (event->kind == P2PA_EVENT_STREAM_DATA) {
    if (!channel.reclaim_data(host_.events, event)) return;
  } else {
    host_.events.promise_again(event);
    channel.writable = event;
    if (!channel.wants_writable) return;
  }
  (void)wake(*state);
}

void Streams::end_all(const Error& why, Outbox::Payloads& spent) noexcept {
  while (State* state = streams_.first()) {
    state->channel.outbox.drop_all(spent);
    tell_end(*state, why);
    streams_.remove(state->channel.handle);
  }
}

}  // namespace p2pa::capi
