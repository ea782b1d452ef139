#pragma once
#include <cstdint>
#include <map>
#include <memory>

#include "p2pagents/node.hpp"
#include "runtime/event_pool.hpp"

namespace p2pa::capi {

struct Host;

/// Operations in flight: each holds the event that will complete it. What arrives for one that has
/// completed already (it was cancelled, or the node closed) is ignored.
class Operations final {
 public:
  explicit Operations(Host& host) : host_(host) {}

  /// Accepts an operation: promises its completion and queues `start`, which is given the handle.
  std::int32_t begin(std::uint32_t kind, const PeerId& peer, std::size_t bytes, std::uint64_t* handle,
                     std::move_only_function<void(Node&, std::uint64_t handle)> start);
  std::int32_t cancel(std::uint64_t handle);

  // --- in the node's turn
  /// Completes the operation after `fill` has put in what it has to say.
  template <class F>
  void complete(std::uint64_t handle, const Error& error, F&& fill);
  void complete(std::uint64_t handle, const Error& error) {
    complete(handle, error, [](Event&) {});
  }
  /// The call behind a unary operation, so that cancelling reaches it.
  void set_call(std::uint64_t handle, CallId call);

  // --- under the lock
  void end_all(const Error& why) noexcept;

 private:
  struct Operation {
    Event* completion = nullptr;
    CallId call = 0;
  };
  Event* take(std::uint64_t handle) noexcept;
  void tell(Event* completion, const Error& error) noexcept;

  Host& host_;
  std::map<std::uint64_t, Operation> operations_;
};

template <class F>
void Operations::complete(std::uint64_t handle, const Error& error, F&& fill) {
  Event* completion = take(handle);
  if (completion == nullptr) return;
  fill(*completion);
  tell(completion, error);
}

}  // namespace p2pa::capi
