#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "p2pagents/node.hpp"
#include "runtime/channel_map.hpp"

namespace p2pa::capi {

struct Host;

/// Calls that have a handle: opened by the host, or served by it. (A unary call made by the host is
/// an operation.)
class Calls final {
 public:
  explicit Calls(Host& host) : host_(host) {}

  // --- the host's threads
  std::int32_t open(const PeerId& peer, std::string_view method, const CallOptions& options,
                    std::uint64_t* handle);
  enum class Last : bool { kNo, kYes };
  /// Queues one message; it is destroyed without the lock when refused. With kYes nothing follows it.
  std::int32_t send(std::uint64_t handle, Outbox::Payloads& message, Last last);
  std::int32_t finish(std::uint64_t handle);
  /// REQUIRES: within the bound on a message.
  std::int32_t fail(std::uint64_t handle, ApplicationError error);
  std::int32_t set_priority(std::uint64_t handle, Priority priority);
  std::int32_t cancel(std::uint64_t handle);

  // --- in the node's turn
  void on_incoming(Call& call, bool unary);
  /// Does what the host asked of calls since the last turn.
  void serve_waiting(Node& node);

  // --- under the lock
  void reclaim(Event* event) noexcept;
  void end_all(const Error& why, Outbox::Payloads& spent) noexcept;

 private:
  struct State {
    Channel channel;
    bool inbound = false;
    bool unary = false;      ///< served by REQUEST and reply
    bool requested = false;  ///< unary: REQUEST is told
    bool cancelled = false;
    std::optional<ApplicationError> failure;
  };

  CallHandler handler(std::uint64_t handle);
  void on_message(std::uint64_t handle, Call& call, ByteView message);
  void on_finished(std::uint64_t handle, Call& call);
  void on_writable(std::uint64_t handle);
  void on_end(std::uint64_t handle, const CallOutcome& outcome);
  void tell_end(State& state, const Error& error) noexcept;
  void serve(std::uint64_t handle, Node& node);
  /// Hands messages to the call until it takes no more.
  void flush(std::uint64_t handle, Call& call);
  /// The host wants something of this call: checks that it still may.
  std::int32_t find_sending(std::uint64_t handle, State*& state);
  std::int32_t wake(State& state) noexcept;
  void tell(const Channel& channel, Event* event) noexcept;

  Host& host_;
  ChannelMap<State> calls_;
};

}  // namespace p2pa::capi
