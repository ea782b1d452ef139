#pragma once
#include <cstdint>
#include <map>

#include "p2pagents/message_channel.hpp"
#include "p2pagents/node.hpp"
#include "p2pagents/p2pagents.h"

namespace p2pa::capi {

struct Event;
struct Host;

/// Channels of messages that the host opened.
class MessageChannels final {
 public:
  explicit MessageChannels(Host& host) : host_(host) {}

  // --- the host's threads
  std::int32_t open(const PeerId& peer, const MessageChannelOptions& options, std::uint64_t* op);
  std::int32_t send(std::uint64_t handle, ByteView message);
  std::int32_t close(std::uint64_t handle);
  std::int32_t stats(std::uint64_t handle, p2pa_channel_stats& out);

  // --- under the lock
  void end_all(const Error& why) noexcept;

 private:
  struct State {
    PeerId peer;
    Event* ended = nullptr;          // promised
    MessageChannel* core = nullptr;  // null before it is open; used in the node's turn only
    std::size_t size_max = 0;
    bool closing = false;
  };

  /// Under the lock: a channel that may come to be. Zero: the bound is reached.
  std::uint64_t prepare(const PeerId& peer);
  void on_opened(std::uint64_t op, std::uint64_t handle, Result<MessageChannel*> opened);
  void on_end(std::uint64_t handle, const Error& why);
  /// P2PA_OK: an open channel that takes messages still.
  std::int32_t find(std::uint64_t handle, State*& state);
  /// In the node's turn: null when it has ended.
  MessageChannel* core_of(std::uint64_t handle);
  void forget(std::uint64_t handle) noexcept;

  Host& host_;
  std::map<std::uint64_t, State> channels_;
};

}  // namespace p2pa::capi
