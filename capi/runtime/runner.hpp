#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "p2pagents/node.hpp"
#include "p2pagents/p2pagents.h"

namespace p2pa::capi {

struct Event;
struct Host;

/// Who runs the node: at most one thread at a time, the host's or the library's. The library's
/// thread is a loop around the same step that the host's polling does, so both tell the same events
/// and both contain what is thrown.
class Runner final {
 public:
  explicit Runner(Host& host) : host_(host) {}
  ~Runner();

  std::int32_t poll(std::int64_t timeout_us, std::uint32_t budget);
  /// The next event, lent: waits for the library's thread, or runs the node.
  std::int32_t wait_event(std::int64_t timeout_us, Event** event);
  std::int32_t start_thread();
  std::int32_t stop_thread();
  bool threaded() const { return thread_.joinable(); }

  /// Runs code while nobody else runs the node: at once, or by whoever runs it now, and waits.
  template <class F>
  std::int32_t inspect(F&& code) {
    Inspection inspection;
    inspection.code = &code;
    inspection.run = [](void* f, Node& node) {
      return (*static_cast<std::remove_reference_t<F>*>(f))(std::as_const(node));
    };
    return inspect(inspection);
  }
  /// The same for code that changes something: what follows from it happens in the node's next turn. What it
  /// throws ends the node.
  template <class F>
  std::int32_t change(F&& code) {
    Inspection inspection;
    inspection.changes = true;
    inspection.code = &code;
    inspection.run = [](void* f, Node& node) { return (*static_cast<std::remove_reference_t<F>*>(f))(node); };
    return inspect(inspection);
  }
  /// In the node's turn: what others want to know.
  void serve_inspections(Node& node) noexcept;

  /// Is this thread inside the node, or in a callback of it?
  bool inside() const { return runner_ == std::this_thread::get_id(); }

  /// The node is being freed: ends everybody's waiting.
  void interrupt() noexcept;

 private:
  struct Inspection {
    enum class State : std::uint8_t { kNew, kQueued, kTaken, kDone };
    std::int32_t (*run)(void* code, Node& node) = nullptr;
    void* code = nullptr;
    std::int32_t status = 0;
    State state = State::kNew;
    bool changes = false;
  };

  std::int32_t inspect(Inspection& inspection);
  void answer(Inspection& inspection, Node& node) noexcept;
  /// One poll of the node and the event callbacks after it.
  enum class Sleep : bool { kUnlessEventsWait, kAnyway };
  std::int32_t step(Duration timeout, int budget, Sleep sleep) noexcept;
  void show_events() noexcept;
  void run_thread() noexcept;
  std::int32_t enter(std::unique_lock<std::mutex>& lock);
  void leave() noexcept;

  Host& host_;
  std::atomic<std::thread::id> runner_{};  // changed under the host's lock
  bool inspecting_ = false;                // the runner only looks, and is soon done
  bool in_event_callback_ = false;         // of the runner
  std::vector<Inspection*> inspections_;
  std::thread thread_;
  bool stop_ = false;  // the library's thread is asked to end, and has not yet
};

/// What p2pa_node_set_event_callback was given. Shared by the node and by a thread that is in the
/// callback, so that `drop` comes after the last call and not under its feet.
struct EventCallback {
  p2pa_event_fn fn;
  void* ctx;
  p2pa_drop_fn drop;
  EventCallback(p2pa_event_fn f, void* c, p2pa_drop_fn d) : fn(f), ctx(c), drop(d) {}
  EventCallback(const EventCallback&) = delete;
  EventCallback& operator=(const EventCallback&) = delete;
  ~EventCallback() {
    if (drop != nullptr) drop(ctx);
  }
};

}  // namespace p2pa::capi
