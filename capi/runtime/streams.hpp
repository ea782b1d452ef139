#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "p2pagents/node.hpp"
#include "runtime/channel_map.hpp"

namespace p2pa::capi {

struct Host;

/// Raw streams that the host opened or accepted.
class Streams final {
 public:
  explicit Streams(Host& host) : host_(host) {}

  // --- the host's threads
  std::int32_t open(const PeerId& peer, std::string_view protocol, std::uint64_t* op);
  std::int32_t write(std::uint64_t handle, ByteView bytes, std::size_t* taken);
  std::int32_t write_take(std::uint64_t handle, Outbox::Payloads& payload);
  std::int32_t finish(std::uint64_t handle);
  std::int32_t set_priority(std::uint64_t handle, Priority priority);
  std::int32_t reset(std::uint64_t handle, std::uint64_t code);

  // --- in the node's turn
  void on_incoming(AgentStream& stream);
  void serve_waiting(Node& node);

  // --- under the lock
  void reclaim(Event* event) noexcept;
  void end_all(const Error& why, Outbox::Payloads& spent) noexcept;

 private:
  /// One data event: large enough to be worth its price, small enough to share the memory.
  static constexpr std::size_t kChunkBytesMax = 64 * 1024;
  /// The same while the memory for payloads is used up.
  static constexpr std::size_t kScarceChunkBytesMax = 4 * 1024;

  struct State {
    Channel channel;
    std::optional<std::uint64_t> reset_code;
  };

  /// A stream that may come to be: all its events are promised. Zero: the bound is reached.
  std::uint64_t prepare(const PeerId& peer, EventPool::For whom);
  void forget(std::uint64_t handle) noexcept;
  void on_opened(std::uint64_t op, std::uint64_t handle, Result<AgentStream*> opened);
  void attach(std::uint64_t handle, AgentStream& stream);
  void on_end(std::uint64_t handle, AgentStream& stream, const Error& why);
  void serve(std::uint64_t handle, Node& node);
  /// Writes until the stream takes no more.
  void flush(std::uint64_t handle, AgentStream& stream);
  /// Reads as far as the host's credit goes; `last`: beyond it, since the stream is about to go.
  void pump(std::uint64_t handle, AgentStream& stream, bool last);
  std::int32_t find_sending(std::uint64_t handle, State*& state);
  std::int32_t wake(State& state) noexcept;
  void tell(const Channel& channel, Event* event) noexcept;
  void tell_end(State& state, const Error& error) noexcept;

  Host& host_;
  ChannelMap<State> streams_;
};

}  // namespace p2pa::capi
