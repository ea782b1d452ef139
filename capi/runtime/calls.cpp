#include "runtime/calls.hpp"

#include <utility>

#include "runtime/host.hpp"

namespace p2pa::capi {

namespace {
constexpr Channel::Kinds kStreamingKinds{P2PA_EVENT_CALL_MESSAGE, P2PA_EVENT_CALL_FINISHED,
                                         P2PA_EVENT_CALL_WRITABLE, P2PA_EVENT_CALL_ENDED};

/// What is left of a call's time, or -1 without a deadline.
std::int64_t time_left(const Call& call, Instant now) {
  if (call.deadline() == kNever) return -1;
  return call.deadline() > now ? (call.deadline() - now).ns : 0;
}
}  // namespace

// --- the host's threads

Status Calls::open(const PeerId& peer, std::string_view method, const CallOptions& options,
                   std::uint64_t* handle) {
  const Lock lock(host_.mutex);
  if (const Status status = host_.accepting(); status < 0) return status;
  const std::uint64_t id = host_.next_handle();
  State& state = calls_.add(id);
  const auto roll_back = [&] {
    state.channel.withdraw(host_.events);
    calls_.remove(id);
  };
  try {
    state.channel.peer = peer;
    Status status = P2PA_E_WOULD_BLOCK;
    if (!state.channel.promise(host_.events, kStreamingKinds, EventPool::For::kHost)) {
      host_.events.note_refusal();
    } else {
      status = host_.enqueue(
          0, [this, id, peer, name = std::string(method), options](Node& node) {
            Call* call = node.open_call(peer, name, options, handler(id));
            const Lock inner(host_.mutex);
            State* opened = calls_.find(id);
            if (opened == nullptr) return;
            opened->channel.core = call->id();
            calls_.wait(opened->channel);  // what was sent before goes now
          });
    }
    if (status < 0) {
      roll_back();
      return status;
    }
  } catch (...) {
    roll_back();
    throw;
  }
  *handle = id;
  return P2PA_OK;
}

Status Calls::find_sending(std::uint64_t handle, State*& state) {
  state = calls_.find(handle);
  if (state == nullptr) return P2PA_E_STALE_HANDLE;
  if (const Status status = host_.accepting(); status < 0) return status;
  if (state->channel.finishing) return P2PA_E_STREAM_FINISHED;
  return P2PA_OK;
}

Status Calls::wake(State& state) noexcept {
  if (const Status status = host_.schedule(); status < 0) return status;
  calls_.wait(state.channel);
  return P2PA_OK;
}

Status Calls::send(std::uint64_t handle, Outbox::Payloads& message, Last last) {
  const Lock lock(host_.mutex);
  State* state = nullptr;
  if (const Status status = find_sending(handle, state); status < 0) return status;
  // A unary method answers with one message; an answer is what only a server gives.
  if (last == Last::kYes ? !state->inbound : state->unary) return P2PA_E_INVALID_STATE;
  const std::size_t size = message.front().view().size();
  if (size > host_.limits.message_bytes_max) return P2PA_E_MESSAGE_TOO_LARGE;
  if (!state->channel.outbox.takes(size)) {
    state->channel.wants_writable = true;
    return P2PA_E_WOULD_BLOCK;
  }
  if (const Status status = wake(*state); status < 0) return status;
  state->channel.outbox.add(std::move(message));
  if (last == Last::kYes) state->channel.finishing = true;
  return P2PA_OK;
}

Status Calls::finish(std::uint64_t handle) {
  const Lock lock(host_.mutex);
  State* state = nullptr;
  if (const Status status = find_sending(handle, state); status < 0) return status;
  if (state->unary) return P2PA_E_INVALID_STATE;
  if (const Status status = wake(*state); status < 0) return status;
  state->channel.finishing = true;
  return P2PA_OK;
}

Status Calls::fail(std::uint64_t handle, ApplicationError error) {
  const Lock lock(host_.mutex);
  State* state = nullptr;
  if (const Status status = find_sending(handle, state); status < 0) return status;
  if (!state->inbound) return P2PA_E_INVALID_STATE;
  if (const Status status = wake(*state); status < 0) return status;
  state->failure = std::move(error);
  state->channel.finishing = true;
  return P2PA_OK;
}

Status Calls::set_priority(std::uint64_t handle, Priority priority) {
  const Lock lock(host_.mutex);
  State* state = calls_.find(handle);
  if (state == nullptr) return P2PA_E_STALE_HANDLE;
  if (const Status status = host_.accepting(); status < 0) return status;
  if (const Status status = wake(*state); status < 0) return status;
  state->channel.priority = priority;
  return P2PA_OK;
}

Status Calls::cancel(std::uint64_t handle) {
  const Lock lock(host_.mutex);
  State* state = calls_.find(handle);
  if (state == nullptr) return P2PA_E_STALE_HANDLE;
  if (const Status status = host_.accepting(); status < 0) return status;
  if (const Status status = wake(*state); status < 0) return status;
  state->cancelled = true;
  return P2PA_OK;
}

// --- in the node's turn: what the host asked for

void Calls::serve_waiting(Node& node) {
  calls_.serve_waiting(host_.mutex, [&](std::uint64_t handle) { serve(handle, node); });
}

void Calls::serve(std::uint64_t handle, Node& node) {
  Outbox::Payloads spent;
  std::optional<ApplicationError> failure;
  std::optional<Priority> priority;
  bool cancel = false, resume = false;
  Call* call = nullptr;
  {
    const Lock lock(host_.mutex);
    State* state = calls_.find(handle);
    if (state == nullptr || state->channel.core == 0) return;
    call = node.find_call(state->channel.core);
    if (call == nullptr) return;  // it is over, on_end is on its way
    cancel = state->cancelled;
    failure = std::exchange(state->failure, std::nullopt);
    resume = std::exchange(state->channel.resume_due, false);
    priority = std::exchange(state->channel.priority, std::nullopt);
    if (cancel || failure) state->channel.outbox.drop_all(spent);
    if (failure) state->channel.finish_done = true;
  }
  if (priority) call->set_priority(*priority);
  if (cancel) return call->cancel();
  if (failure) return call->fail(*failure);
  if (resume) call->resume();
  flush(handle, *call);
}

void Calls::flush(std::uint64_t handle, Call& call) {
  Outbox::Payloads spent;
  for (;;) {
    Lock lock(host_.mutex);
    State* state = calls_.find(handle);
    if (state == nullptr) return;
    Channel& channel = state->channel;
    if (channel.outbox.empty()) {
      tell(channel, channel.take_writable());
      if (!channel.finishing || std::exchange(channel.finish_done, true)) return;
      lock.unlock();
      return call.finish();
    }
    const ByteView message = channel.outbox.front();
    lock.unlock();
    const Result<void> sent = call.send(message);
    lock.lock();
    if (!sent && sent.error().code == Code::kWouldBlock) {
      tell(channel, channel.take_writable());
      return;
    }
    if (sent) {
      channel.outbox.sent(message.size(), spent);
      continue;
    }
    channel.outbox.drop_all(spent);
    if (sent.error().code == Code::kStreamFinished) continue;  // the peer reads no more, and ends the call
    lock.unlock();
    return call.refuse(sent.error());  // it can never be sent
  }
}

// --- in the node's turn: what the node tells

CallHandler Calls::handler(std::uint64_t handle) {
  CallHandler out;
  out.on_message = [this, handle](Call& call, ByteView message) {
    host_.in_turn([&] { on_message(handle, call, message); });
  };
  out.on_finished = [this, handle](Call& call) { host_.in_turn([&] { on_finished(handle, call); }); };
  out.on_writable = [this, handle](Call& call) { host_.in_turn([&] { flush(handle, call); }); };
  out.on_end = [this, handle](Call&, const CallOutcome& outcome) {
    host_.in_turn([&] { on_end(handle, outcome); });
  };
  return out;
}

void Calls::on_incoming(Call& call, bool unary) {
  Lock lock(host_.mutex);
  const std::uint64_t id = host_.next_handle();
  State& state = calls_.add(id);
  state.channel.peer = call.peer();
  state.channel.core = call.id();
  state.inbound = true;
  state.unary = unary;
  Event* incoming = nullptr;
  bool room = false;
  if (unary) {
    state.channel.data = host_.events.promise(P2PA_EVENT_REQUEST, EventPool::For::kPeer);
    state.channel.ended = host_.events.promise(P2PA_EVENT_CALL_ENDED, EventPool::For::kPeer);
    room = state.channel.data != nullptr && state.channel.ended != nullptr;
  } else {
    incoming = host_.events.promise(P2PA_EVENT_CALL_INCOMING, EventPool::For::kPeer);
    room = incoming != nullptr && state.channel.promise(host_.events, kStreamingKinds, EventPool::For::kPeer);
  }
  if (!room) {
    host_.events.recycle(incoming);
    state.channel.withdraw(host_.events);
    calls_.remove(id);
    host_.events.note_refusal();
    lock.unlock();
    return call.refuse({Code::kLimitCalls, host_.events.bound(), "no event is free for the call"});
  }
  lock.unlock();
  call.set_handler(handler(id));
  if (unary) return;
  incoming->call = id;
  incoming->peer = call.peer();
  incoming->name = call.method();
  incoming->duration_ns = time_left(call, host_.node->now());
  lock.lock();
  host_.tell(incoming);
}

void Calls::on_message(std::uint64_t handle, Call& call, ByteView message) {
  Event* event = nullptr;
  bool room = false;
  {
    const Lock lock(host_.mutex);
    State* state = calls_.find(handle);
    if (state == nullptr || (state->unary && state->requested)) return;  // what follows a request is dropped
    event = state->channel.data;
    if (event != nullptr) event->peer = state->channel.peer;
    room = event != nullptr && host_.events.charge(*event, message.size());
    if (room) {
      state->channel.data = nullptr;
      state->requested = true;
    } else {
      host_.events.note_refusal();
    }
  }
  if (!room) return call.refuse(host_.no_room());
  event->call = handle;
  if (event->kind == P2PA_EVENT_REQUEST) {
    event->name = call.method();
    event->duration_ns = time_left(call, host_.node->now());
  }
  event->data.assign(message.begin(), message.end());
  bool pause = false;
  {
    const Lock lock(host_.mutex);
    State* state = calls_.find(handle);
    if (!state->unary) pause = state->channel.spend_data(host_.events, event);
    host_.tell(event);
  }
  if (pause) call.pause();
}

void Calls::on_finished(std::uint64_t handle, Call& call) {
  Lock lock(host_.mutex);
  State* state = calls_.find(handle);
  if (state == nullptr) return;
  if (!state->unary) return tell(state->channel, std::exchange(state->channel.finished, nullptr));
  if (state->requested) return;
  lock.unlock();
  call.refuse({Code::kProtocolViolation, 0, "the stream ended without a message"});
}

void Calls::on_end(std::uint64_t handle, const CallOutcome& outcome) {
  std::unique_ptr<State> gone;  // destroyed after the lock is gone
  const Lock lock(host_.mutex);
  gone = calls_.remove(handle);
  if (gone == nullptr) return;
  if (Event* ended = gone->channel.ended) {
    ended->application_code = outcome.application.code;
    ended->text = outcome.application.text;
    ended->data = outcome.application.data;
  }
  tell_end(*gone, outcome.error);
}

void Calls::tell(const Channel& channel, Event* event) noexcept {
  if (event == nullptr) return;
  event->call = channel.handle;
  event->peer = channel.peer;
  host_.tell(event);
}

void Calls::tell_end(State& state, const Error& error) noexcept {
  // A unary request that never came, or was answered, has nothing to end.
  const bool silent = state.unary && (!state.requested || state.channel.finishing);
  Event* ended = silent ? nullptr : std::exchange(state.channel.ended, nullptr);
  if (ended != nullptr) ended->error = error;
  tell(state.channel, ended);
  state.channel.withdraw(host_.events);
}

// --- under the lock

void Calls::reclaim(Event* event) noexcept {
  State* state = calls_.find(event->call);
  if (state == nullptr || event->kind == P2PA_EVENT_REQUEST) return host_.events.recycle(event);
  Channel& channel = state->channel;
  if (event->kind == P2PA_EVENT_CALL_MESSAGE) {
    if (!channel.reclaim_data(host_.events, event)) return;
  } else {
    host_.events.promise_again(event);
    channel.writable = event;
    if (!channel.wants_writable) return;
  }
  (void)wake(*state);
}

void Calls::end_all(const Error& why, Outbox::Payloads& spent) noexcept {
  while (State* state = calls_.first()) {
    state->channel.outbox.drop_all(spent);
    tell_end(*state, why);
    calls_.remove(state->channel.handle);
  }
}

}  // namespace p2pa::capi
