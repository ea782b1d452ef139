#pragma once
// Functions that other threads want run in the node's turn.

#include <atomic>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "p2pagents/error.hpp"
#include "p2pagents/node.hpp"

namespace p2pa::io {

/// First in, first out. Not bounded: what goes in comes from the host itself, never from a peer,
/// and a host that outruns its own node sees it in its memory.
class PostQueue final {
 public:
  using Function = std::move_only_function<void(Node&)>;

  /// Any thread. kClosed: `fn` is not taken, and destroyed before this returns.
  Result<void> push(Function fn) {
    const std::lock_guard lock(mutex_);
    if (closed_) return fail(Code::kClosed, "the node is closed");
    waiting_.push_back(std::move(fn));
    any_.store(true, std::memory_order_release);
    return {};
  }

  /// Runs what was pushed until now, and says whether there was anything. What they push comes with
  /// the next call. One that throws has run; those behind it run with the next call, first of all.
  bool run(Node& node) {
    if (empty()) return false;
    run_taken(node);
    {
      const std::lock_guard lock(mutex_);
      taken_.swap(waiting_);
      any_.store(false, std::memory_order_relaxed);
    }
    run_taken(node);
    return true;
  }

  bool empty() const { return next_ == taken_.size() && !any_.load(std::memory_order_acquire); }

  /// From now on push() answers kClosed. What was taken before is still run.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }

 private:
  void run_taken(Node& node) {
    while (next_ < taken_.size()) {
      Function fn = std::move(taken_[next_++]);  // what it holds goes before the next one runs
      fn(node);
    }
    taken_.clear();
    next_ = 0;
  }

  std::mutex mutex_;
  std::vector<Function> waiting_;
  std::atomic<bool> any_ = false;
  bool closed_ = false;

  // Of the thread that runs them; no lock.
  std::vector<Function> taken_;
  std::size_t next_ = 0;
};

}  // namespace p2pa::io
