#include "runtime/runner.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <system_error>

#include "convert.hpp"
#include "runtime/host.hpp"

namespace p2pa::capi {

namespace {
constexpr int kBudgetDefault = 64;
/// "Without end", far enough and safe to add to any instant.
constexpr Duration kForever = hours(24 * 365 * 100);

using Clock = std::chrono::steady_clock;

Duration timeout_of(std::int64_t timeout_us) {
  if (timeout_us < 0 || timeout_us > kForever.us()) return kForever;
  return microseconds(timeout_us);
}

/// Signals belong to the host's threads: one that is made meanwhile takes none.
class SignalsBlocked final {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};
}  // namespace

Runner::~Runner() {
  if (thread_.joinable()) stop_thread();
}

// --- who runs

Status Runner::enter(Lock& lock) {
  if (inside()) return P2PA_E_WRONG_THREAD;
  // Who only looks, or was asked to stop, is gone in a moment.
  host_.changed.wait(lock, [&] {
    return host_.freeing || runner_.load() == std::thread::id() || (!inspecting_ && !stop_);
  });
  if (host_.freeing) return P2PA_E_STALE_HANDLE;
  if (threaded()) return P2PA_E_INVALID_STATE;
  if (runner_.load() != std::thread::id()) return P2PA_E_WRONG_THREAD;
  runner_ = std::this_thread::get_id();
  return P2PA_OK;
}

void Runner::leave() noexcept {
  const Lock lock(host_.mutex);
  runner_ = std::thread::id();
  inspecting_ = false;
  host_.changed.notify_all();
}

void Runner::interrupt() noexcept {
  host_.changed.notify_all();
  // A runner that sleeps wakes up by having something to do. Should even that fail for want of
  // memory, it wakes when its timeout does.
  (void)host_.schedule();
}

// --- running

Status Runner::step(Duration timeout, int budget, Sleep sleep) noexcept {
  bool runnable = false;
  {
    const Lock lock(host_.mutex);
    runnable = host_.failure.code == Code::kOk;
    if (!host_.tasks.empty()) (void)host_.schedule();  // in case it failed before
    const bool events_wait = host_.events.waiting() > 0 && sleep == Sleep::kUnlessEventsWait;
    if (events_wait || host_.closed) timeout = Duration{0};
  }
  Status status = P2PA_OK;
  if (runnable) {
    try {
      P2PA_FAULT_POINT();
      if (const auto polled = host_.node->poll(timeout, budget); !polled) status = status_of(polled.error());
    } catch (...) {
      host_.note_failure();
    }
  }
  host_.bury_if_failed();
  show_events();
  const Lock lock(host_.mutex);
  if (host_.failure.code != Code::kOk) return status_of(host_.failure);
  if (status < 0) return status;
  return static_cast<Status>(std::min<std::size_t>(host_.events.waiting(), INT32_MAX));
}

void Runner::show_events() noexcept {
  for (;;) {
    std::shared_ptr<EventCallback> callback;
    Event* event = nullptr;
    p2pa_event shown;
    {
      const Lock lock(host_.mutex);
      if (host_.freeing || host_.callback == nullptr) return;
      callback = host_.callback;
      event = host_.events.pop(Event::Place::kShown);
      if (event == nullptr) return;
      show(*event, host_, shown);
    }
    in_event_callback_ = true;
    callback->fn(callback->ctx, &shown);
    in_event_callback_ = false;
    const Lock lock(host_.mutex);
    host_.release(event);
  }
}

Status Runner::poll(std::int64_t timeout_us, std::uint32_t budget) {
  {
    Lock lock(host_.mutex);
    if (const Status status = enter(lock); status < 0) return status;
  }
  const Status status =
      step(timeout_of(timeout_us),
           budget == 0 ? kBudgetDefault : static_cast<int>(std::min<std::uint32_t>(budget, INT32_MAX)),
           Sleep::kUnlessEventsWait);
  leave();
  return status;
}

Status Runner::wait_event(std::int64_t timeout_us, Event** event) {
  const Duration timeout = timeout_of(timeout_us);
  const auto end = Clock::now() + std::chrono::nanoseconds(timeout.ns);
  for (bool first = true;; first = false) {
    Duration left{0};
    {
      Lock lock(host_.mutex);
      const auto ready = [&] {
        return host_.freeing || host_.callback != nullptr || host_.events.waiting() > 0 ||
               host_.closed || !threaded();
      };
      if (threaded() && !inside()) host_.changed.wait_until(lock, end, ready);
      if (host_.freeing) return P2PA_E_STALE_HANDLE;
      if (host_.callback != nullptr) return P2PA_E_INVALID_STATE;
      *event = host_.events.pop(Event::Place::kLent);
      if (*event != nullptr) return P2PA_OK;
      if (host_.closed) return P2PA_E_CLOSED;
      left = nanoseconds((end - Clock::now()).count());
      // A node that is polled with a timeout of zero is run all the same.
      if (left <= Duration{0} && (!first || threaded())) return P2PA_NONE;
      if (inside()) return P2PA_E_WRONG_THREAD;
      if (threaded()) continue;  // the library's thread began meanwhile
      if (const Status status = enter(lock); status < 0) return status;
    }
    const Status status = step(std::max(left, Duration{0}), kBudgetDefault, Sleep::kUnlessEventsWait);
    leave();
    if (status < 0) {
      const Lock lock(host_.mutex);
      if (host_.events.waiting() == 0) return status;
    }
  }
}

// --- the library's thread

Status Runner::start_thread() {
  Lock lock(host_.mutex);
  if (const Status status = host_.failure.code == Code::kOk ? P2PA_OK : status_of(host_.failure);
      status < 0) {
    return status;
  }
  if (const Status status = enter(lock); status < 0) return status;
  stop_ = false;
  try {
    const SignalsBlocked blocked;
    thread_ = std::thread([this] { run_thread(); });
  } catch (const std::system_error&) {
    runner_ = std::thread::id();
    host_.changed.notify_all();
    return P2PA_E_IO;
  } catch (...) {
    runner_ = std::thread::id();
    host_.changed.notify_all();
    throw;
  }
  runner_ = thread_.get_id();
  return P2PA_OK;
}

void Runner::run_thread() noexcept {
  for (;;) {
    bool look = false;
    {
      Lock lock(host_.mutex);
      // A closed node takes no turns, in which inspections would be served.
      const auto asked = [&] {
        return host_.closed && host_.failure.code == Code::kOk && !inspections_.empty();
      };
      host_.changed.wait(lock, [&] {
        return stop_ || !host_.closed || asked() || (host_.callback != nullptr && host_.events.waiting() > 0);
      });
      if (stop_) break;
      look = asked();
    }
    if (look) serve_inspections(*host_.node);
    if (step(kForever, kBudgetDefault, Sleep::kAnyway) < 0) {
      host_.fail({Code::kIo, 0, "the system refuses what the node needs to run"});
    }
  }
  const Lock lock(host_.mutex);
  stop_ = false;  // and gone, at once: who waits to run the node must not find one without the other
  runner_ = std::thread::id();
  host_.changed.notify_all();
}

Status Runner::stop_thread() {
  std::thread stopped;
  {
    Lock lock(host_.mutex);
    if (inside()) return P2PA_E_WRONG_THREAD;
    if (!threaded()) return P2PA_E_INVALID_STATE;
    stop_ = true;
    stopped = std::move(thread_);
    interrupt();
  }
  stopped.join();
  return P2PA_OK;
}

// --- looking

Status Runner::inspect(Inspection& inspection) {
  Lock lock(host_.mutex);
  if (host_.failure.code != Code::kOk) return status_of(host_.failure);
  if (inside()) {
    if (!in_event_callback_) return P2PA_E_WRONG_THREAD;
    lock.unlock();
    answer(inspection, *host_.node);
    return inspection.status;
  }
  using State = Inspection::State;
  for (;;) {
    if (inspection.state == State::kDone) return inspection.status;
    if (inspection.state != State::kTaken) {
      const bool ended = host_.freeing || host_.failure.code != Code::kOk;
      if (ended || runner_.load() == std::thread::id()) break;
    }
    if (inspection.state == State::kNew && !inspecting_) {
      inspections_.push_back(&inspection);
      inspection.state = State::kQueued;
      (void)host_.schedule();
      if (host_.closed) host_.changed.notify_all();  // the library's thread sleeps without the node
    }
    host_.changed.wait(lock);
  }
  if (inspection.state == State::kQueued) std::erase(inspections_, &inspection);
  if (host_.freeing) return P2PA_E_STALE_HANDLE;
  if (host_.failure.code != Code::kOk) return status_of(host_.failure);
  runner_ = std::this_thread::get_id();
  inspecting_ = true;
  lock.unlock();
  answer(inspection, *host_.node);
  leave();
  return inspection.status;
}

void Runner::answer(Inspection& inspection, Node& node) noexcept {
  try {
    P2PA_FAULT_POINT();
    inspection.status = inspection.run(inspection.code, node);
  } catch (...) {
    inspection.status = status_of_exception();
    if (inspection.changes) host_.note_failure();  // who knows how far it came
  }
  if (!inspection.changes) return;
  const Lock lock(host_.mutex);
  (void)host_.schedule();
}

void Runner::serve_inspections(Node& node) noexcept {
  std::vector<Inspection*> asked;
  {
    const Lock lock(host_.mutex);
    asked.swap(inspections_);
    for (Inspection* inspection : asked) inspection->state = Inspection::State::kTaken;
  }
  if (asked.empty()) return;
  for (Inspection* inspection : asked) answer(*inspection, node);
  const Lock lock(host_.mutex);
  for (Inspection* inspection : asked) inspection->state = Inspection::State::kDone;
  host_.changed.notify_all();
}

}  // namespace p2pa::capi
