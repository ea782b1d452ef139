#include "runtime/operations.hpp"

#include <utility>

#include "runtime/host.hpp"

namespace p2pa::capi {

Status Operations::begin(std::uint32_t kind, const PeerId& peer, std::size_t bytes,
                         std::uint64_t* handle,
                         std::move_only_function<void(Node&, std::uint64_t)> start) {
  const Lock lock(host_.mutex);
  if (const Status status = host_.accepting(); status < 0) return status;
  Event* completion = host_.events.promise(kind, EventPool::For::kHost);
  if (completion == nullptr) {
    host_.events.note_refusal();
    return P2PA_E_WOULD_BLOCK;
  }
  const std::uint64_t id = host_.next_handle();
  const auto roll_back = [&] {
    operations_.erase(id);
    host_.events.recycle(completion);
  };
  try {
    completion->op = id;
    completion->peer = peer;
    operations_.emplace(id, Operation{completion});
    const Status status = host_.enqueue(
        bytes, [id, start = std::move(start)](Node& node) mutable { start(node, id); });
    if (status < 0) {
      roll_back();
      return status;
    }
  } catch (...) {
    roll_back();
    throw;
  }
  *handle = id;
  return P2PA_OK;
}

Status Operations::cancel(std::uint64_t handle) {
  const Lock lock(host_.mutex);
  if (!operations_.contains(handle)) return P2PA_E_STALE_HANDLE;
  if (const Status status = host_.accepting(); status < 0) return status;
  return host_.enqueue(0, [this, handle](Node& node) {
    CallId call = 0;
    {
      const Lock inner(host_.mutex);
      const auto it = operations_.find(handle);
      if (it == operations_.end()) return;
      call = it->second.call;
    }
    complete(handle, {Code::kCancelled, 0, "cancelled by its owner"});
    if (Call* behind = call == 0 ? nullptr : node.find_call(call)) behind->cancel();
  });
}

void Operations::set_call(std::uint64_t handle, CallId call) {
  const Lock lock(host_.mutex);
  const auto it = operations_.find(handle);
  if (it != operations_.end()) it->second.call = call;
}

void Operations::end_all(const Error& why) noexcept {
  for (auto& [handle, operation] : operations_) {
    operation.completion->error = why;
    host_.tell(operation.completion);
  }
  operations_.clear();
}

Event* Operations::take(std::uint64_t handle) noexcept {
  const Lock lock(host_.mutex);
  const auto it = operations_.find(handle);
  if (it == operations_.end()) return nullptr;
  Event* completion = it->second.completion;
  operations_.erase(it);
  return completion;
}

void Operations::tell(Event* completion, const Error& error) noexcept {
  const Lock lock(host_.mutex);
  completion->error = error;
  host_.tell(completion);
}

}  // namespace p2pa::capi
