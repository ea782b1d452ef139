#include "runtime/message_channels.hpp"

#include <utility>

#include "runtime/host.hpp"
#include "runtime/opening.hpp"

namespace p2pa::capi {

// --- the host's threads

Status MessageChannels::open(const PeerId& peer, const MessageChannelOptions& options, std::uint64_t* op) {
  const auto start = [this, peer, options](Node& node, std::uint64_t id, std::uint64_t handle) {
    node.open_message_channel(peer, options, [this, id, handle](Result<MessageChannel*> opened) {
      host_.in_turn([&] { on_opened(id, handle, opened); });
    });
  };
  return begin_opening(
      host_, P2PA_EVENT_CHANNEL_OPEN_DONE, peer, op, [&] { return prepare(peer); }, start,
      [this](std::uint64_t handle) noexcept { forget(handle); });
}

std::uint64_t MessageChannels::prepare(const PeerId& peer) {
  Event* ended = host_.events.promise(P2PA_EVENT_CHANNEL_ENDED, EventPool::For::kHost);
  if (ended == nullptr) return 0;
  const std::uint64_t handle = host_.next_handle();
  try {
    channels_.emplace(handle, State{peer, ended});
  } catch (...) {
    host_.events.recycle(ended);
    throw;
  }
  return handle;
}

Status MessageChannels::find(std::uint64_t handle, State*& state) {
  const auto it = channels_.find(handle);
  if (it == channels_.end() || it->second.core == nullptr) return P2PA_E_STALE_HANDLE;
  if (const Status status = host_.accepting(); status < 0) return status;
  if (it->second.closing) return P2PA_E_STREAM_FINISHED;
  state = &it->second;
  return P2PA_OK;
}

Status MessageChannels::send(std::uint64_t handle, ByteView message) {
  const Lock lock(host_.mutex);
  State* state = nullptr;
  if (const Status status = find(handle, state); status < 0) return status;
  if (message.size() > state->size_max) return P2PA_E_MESSAGE_TOO_LARGE;
  return host_.enqueue(message.size(), [this, handle, copy = Bytes(message.begin(), message.end())](Node&) {
    // What does not go is lost, which the channel counts.
    if (MessageChannel* core = core_of(handle)) (void)core->send(copy);
  });
}

Status MessageChannels::close(std::uint64_t handle) {
  const Lock lock(host_.mutex);
  State* state = nullptr;
  if (const Status status = find(handle, state); status < 0) return status;
  const Status status = host_.enqueue(0, [this, handle](Node&) {
    if (MessageChannel* core = core_of(handle)) core->close();
  });
  state->closing = status == P2PA_OK;
  return status;
}

Status MessageChannels::stats(std::uint64_t handle, p2pa_channel_stats& out) {
  return host_.runner.inspect([&](const Node&) -> Status {
    const MessageChannel* core = core_of(handle);
    if (core == nullptr) return P2PA_E_STALE_HANDLE;
    const MessageChannelStats stats = core->stats();
    out.messages = stats.messages;
    out.packets = stats.packets;
    out.repairs = stats.repairs;
    out.loss = stats.loss;
    out.burst = stats.burst;
    out.size_max = core->size_max();
    return P2PA_OK;
  });
}

// --- in the node's turn

MessageChannel* MessageChannels::core_of(std::uint64_t handle) {
  const Lock lock(host_.mutex);
  const auto it = channels_.find(handle);
  return it == channels_.end() ? nullptr : it->second.core;
}

void MessageChannels::on_opened(std::uint64_t op, std::uint64_t handle, Result<MessageChannel*> opened) {
  const auto attach = [&](Event& event, MessageChannel& channel) {
    event.channel = handle;
    channel.on_end([this, handle](MessageChannel&, const Error& why) { host_.in_turn([&] { on_end(handle, why); }); });
    const Lock lock(host_.mutex);
    State& state = channels_.at(handle);
    state.core = &channel;
    state.size_max = channel.size_max();
  };
  finish_opening(
      host_, op, handle, opened, attach, [](MessageChannel& channel) { channel.close(); },
      [this](std::uint64_t gone) noexcept { forget(gone); });
}

void MessageChannels::on_end(std::uint64_t handle, const Error& why) {
  const Lock lock(host_.mutex);
  const auto it = channels_.find(handle);
  if (it == channels_.end()) return;
  Event* ended = std::exchange(it->second.ended, nullptr);
  ended->channel = handle;
  ended->peer = it->second.peer;
  ended->error = why;
  channels_.erase(it);
  host_.tell(ended);
}

// --- under the lock

void MessageChannels::forget(std::uint64_t handle) noexcept {
  const auto it = channels_.find(handle);
  if (it == channels_.end()) return;
  if (it->second.ended != nullptr) host_.events.recycle(it->second.ended);
  channels_.erase(it);
}

void MessageChannels::end_all(const Error& why) noexcept {
  for (auto& [handle, state] : channels_) {
    // A channel that was never opened is the operation's to end.
    if (state.core == nullptr) {
      host_.events.recycle(state.ended);
      continue;
    }
    state.ended->channel = handle;
    state.ended->peer = state.peer;
    state.ended->error = why;
    host_.tell(state.ended);
  }
  channels_.clear();
}

}  // namespace p2pa::capi
