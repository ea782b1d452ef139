#pragma once
// What we use of libuv: descriptors to watch, and a wake-up from any thread. One loop a node.

#include <uv.h>

#include <atomic>
#include <memory>

#include "p2pagents/error.hpp"
#include "p2pagents/time.hpp"

namespace p2pa::io {

/// Readiness of one descriptor, as of the last collect(). Whoever drains it clears the flag.
struct Watch {
  /// Called within collect(), below a C frame: notes that there is something new, and no more.
  using Notify = void (*)(void* owner) noexcept;

  bool readable = false;
  bool writable = false;  ///< only while it is wanted
  bool failed = false;    ///< an error waits to be read, and nothing more is told until want()
  Notify notify = nullptr;
  void* owner = nullptr;
  uv_poll_t handle{};
};

/// No callback of libuv does any work here: it sets a flag, and the driver works after libuv has
/// returned, so that nothing of ours ever runs below a C frame.
class UvLoop final {
 public:
  /// Errors: kIo (detail: errno), for example out of descriptors.
  static Result<std::unique_ptr<UvLoop>> make();
  UvLoop() = default;  ///< for make()
  ~UvLoop();           ///< REQUIRES every watch was given back
  UvLoop(const UvLoop&) = delete;
  UvLoop& operator=(const UvLoop&) = delete;

  /// The system's monotonic clock; any thread.
  static Instant now() { return {static_cast<std::int64_t>(uv_hrtime())}; }

  /// Readable when collect() has something to find.
  int fd() const { return uv_backend_fd(&loop_); }
  /// Any thread: makes fd() readable. Many before one collect() are one.
  void wake();

  /// Watches `fd` for reading until unwatch(), which must come before close(fd). `notify` is for
  /// owners of so many that they cannot look at each flag.
  Result<Watch*> watch(int fd, Watch::Notify notify = nullptr, void* owner = nullptr);
  void unwatch(Watch* watch);
  /// What collect() looks for from now on. Forgets `writable` and `failed`, not `readable`.
  void want(Watch* watch, bool readable, bool writable);
  void want_writable(Watch* watch, bool wanted) { want(watch, true, wanted); }

  /// Sleeps until fd() is readable or `timeout` is over, to the precision of the system's timers
  /// (libuv's own are milliseconds, too coarse for pacing). True: collect() is worth it.
  bool wait(Duration timeout);
  /// Finds what is ready now, without sleeping, and sets the watches' flags.
  void collect();
  /// Has wake() been called since the last collect()?
  bool woken() const { return woken_.load(std::memory_order_relaxed); }
  /// Changes of what is watched reach fd() only with the next collect().
  bool stale() const { return stale_; }

 private:
  uv_loop_t loop_{};
  uv_async_t async_{};
  std::atomic<bool> woken_ = false;
  bool stale_ = true;
};

}  // namespace p2pa::io
