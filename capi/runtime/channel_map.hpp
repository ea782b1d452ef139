#pragma once
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>

#include "runtime/channel.hpp"

namespace p2pa::capi {

/// The calls, or the raw streams, of a node by handle, and which of them wait to be served in the
/// next turn. `T` has a member `channel`. REQUIRES the host's lock, unless it says that it takes it.
template <class T>
class ChannelMap final {
 public:
  T* find(std::uint64_t handle) const {
    const auto it = channels_.find(handle);
    return it == channels_.end() ? nullptr : it->second.get();
  }
  T& add(std::uint64_t handle) {
    auto made = std::make_unique<T>();
    made->channel.handle = handle;
    made->channel.ticket.push_back(handle);
    return *channels_.emplace(handle, std::move(made)).first->second;
  }
  /// Takes it out; the owner destroys it without the lock, since payloads run the host's code.
  std::unique_ptr<T> remove(std::uint64_t handle) noexcept {
    const auto it = channels_.find(handle);
    if (it == channels_.end()) return nullptr;
    Channel& channel = it->second->channel;
    if (channel.waits) channel.ticket.splice(channel.ticket.end(), waiting_, channel.waits_at);
    std::unique_ptr<T> removed = std::move(it->second);
    channels_.erase(it);
    return removed;
  }
  /// The oldest one; null when there is none.
  T* first() const { return channels_.empty() ? nullptr : channels_.begin()->second.get(); }

  /// The channel wants to be served. Allocates nothing.
  void wait(Channel& channel) noexcept {
    if (channel.waits) return;
    channel.waits = true;
    channel.waits_at = channel.ticket.begin();
    waiting_.splice(waiting_.end(), channel.ticket);
  }
  /// Calls serve(handle), without the lock, for each that waits now. Takes the lock in between.
  template <class Serve>
  void serve_waiting(std::mutex& mutex, Serve&& serve) {
    std::size_t count = 0;
    {
      const std::lock_guard lock(mutex);
      count = waiting_.size();
    }
    for (; count > 0; --count) {
      std::uint64_t handle = 0;
      {
        const std::lock_guard lock(mutex);
        T* found = next_waiting();
        if (found == nullptr) return;
        handle = found->channel.handle;
      }
      serve(handle);
    }
  }

 private:
  /// The first that waits, which then waits no more; null when none does.
  T* next_waiting() noexcept {
    if (waiting_.empty()) return nullptr;
    T* found = find(waiting_.front());
    found->channel.waits = false;
    found->channel.ticket.splice(found->channel.ticket.end(), waiting_, waiting_.begin());
    return found;
  }

  std::map<std::uint64_t, std::unique_ptr<T>> channels_;  // ordered: the same end for every run
  std::list<std::uint64_t> waiting_;
};

}  // namespace p2pa::capi
