#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "fault.hpp"
#include "p2pagents/node.hpp"
#include "runtime/calls.hpp"
#include "runtime/event_pool.hpp"
#include "runtime/message_channels.hpp"
#include "runtime/operations.hpp"
#include "runtime/runner.hpp"
#include "runtime/services.hpp"
#include "runtime/streams.hpp"

namespace p2pa::capi {

using Lock = std::unique_lock<std::mutex>;
using Status = std::int32_t;

/// What stands behind a p2pa_node: the node, what was asked of it and not yet begun, and what is to
/// be told. Host threads queue work under the lock; the thread that runs the node takes it up in
/// the node's turn. No function of the node and no code of the host is called under the lock.
struct Host {
  /// Work asked for by one thread, done by another; all the places where it can pile up are bounded
  /// by events_max, this, and Limits::memory_max.
  static constexpr std::size_t kTasksMax = 65'536;
  using Task = std::move_only_function<void(Node&)>;

  explicit Host(const Limits& limits);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  Result<void> open(NodeOptions options);

  // --- under the lock
  /// P2PA_OK, or why no new work is taken.
  Status accepting() const noexcept;
  std::uint64_t next_handle() noexcept;
  /// Queues a task that holds `bytes` of payload. P2PA_E_WOULD_BLOCK at a bound;
  /// P2PA_E_MESSAGE_TOO_LARGE: they are over memory_max by themselves.
  Status enqueue(std::size_t bytes, Task task);
  /// Sees to it that the node's next turn takes up what is queued.
  Status schedule() noexcept;
  /// The bound on payloads is reached.
  Error no_room() const noexcept;
  /// Queues the event and wakes who waits for one.
  void tell(Event* event) noexcept;
  /// The host of this library is done with an event.
  void release(Event* event) noexcept;
  /// Everything that is open ends with `operations`, and CLOSED is told with `node`. What was still
  /// to be sent moves to `spent`, to be destroyed without the lock.
  void end_all(const Error& operations_end, const Error& node_end, Outbox::Payloads& spent) noexcept;

  // --- without it
  Status close();
  void tell_notification(const NodeEvent& event);
  /// The same for what a peer sent, which may be lost.
  void tell_payload(std::uint32_t kind, const PeerId& from, ByteView payload,
                    const std::function<void(Event&)>& fill = {});
  /// In the node's turn: what the host asked for since the last one.
  void drain(Node& node) noexcept;
  /// Runs code in the node's turn; what it throws ends the node when the turn is over.
  template <class F>
  void in_turn(F&& code) noexcept {
    try {
      P2PA_FAULT_POINT();
      code();
    } catch (...) {
      note_failure();
    }
  }
  /// REQUIRES: inside a catch clause. Any thread: the node ends when its turn is over.
  void note_failure() noexcept;
  /// The runner, between turns: ends the node when something was thrown.
  void bury_if_failed() noexcept;
  /// The node cannot be run any more.
  void fail(const Error& why) noexcept;

  std::mutex mutex;
  std::condition_variable changed;  ///< an event waits, the runner left, an inspection is done
  const Limits limits;
  std::atomic<std::uint64_t>* numbers_used = nullptr;  ///< of this host's place in the table
  std::uint64_t place_bits = 0;
  std::uint64_t handle = 0;
  std::uint32_t pins = 0;
  PeerId self;

  EventPool events;
  Event* closed_event = nullptr;  ///< promised at the beginning
  Operations operations{*this};
  Calls calls{*this};
  Streams streams{*this};
  MessageChannels channels{*this};
  Services services{*this};

  std::vector<std::pair<std::size_t, Task>> tasks;
  std::size_t task_bytes = 0;
  bool scheduled = false;
  bool closing = false;
  bool closed = false;   ///< CLOSED is told; nothing follows
  bool freeing = false;
  std::shared_ptr<EventCallback> callback;
  Error failure{Code::kOk, 0, ""};  ///< why the node must not be run any more
  bool broken_invariant = false;    ///< then not even its destructor may run

  Runner runner{*this};
  std::unique_ptr<Node> node;  ///< destroyed first: its callbacks lead into the parts above
};

/// Thrown by the assertion handler.
struct AssertionFailure {};

}  // namespace p2pa::capi
