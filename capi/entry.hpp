#pragma once
// What every entry point does first: nothing escapes, and a handle is checked before it is used.

#include <new>

#include "base/assert.hpp"
#include "convert.hpp"
#include "fault.hpp"
#include "runtime/node_table.hpp"

namespace p2pa::capi {

/// A host must not be aborted: a broken invariant unwinds to the entry point, or to the step of the
/// thread that runs the node, and ends that node alone.
inline void contain_assertions() noexcept {
  set_assert_handler([](const char*, const char*, int) {
    throw AssertionFailure{};  // tidy-allow: caught at the border, status_of_exception()
  });
}

template <class F>
Status guarded(F&& code) noexcept {
  contain_assertions();
  try {
    P2PA_FAULT_POINT();
    return code();
  } catch (...) {
    return status_of_exception();
  }
}

/// Runs `code(host)`. What is thrown in it, but for want of memory, is a bug of ours: the node ends.
template <class F>
Status with_pinned(const Pin& pin, F&& code) noexcept {
  if (!pin) return P2PA_E_STALE_HANDLE;  // where there is a node, p2pa_node_open was
  try {
    P2PA_FAULT_POINT();
    return code(*pin);
  } catch (const std::bad_alloc&) {
    return P2PA_E_OUT_OF_MEMORY;
  } catch (...) {
    pin->note_failure();
    return P2PA_E_INTERNAL;
  }
}

/// For a node's handle.
template <class F>
Status with_node(p2pa_node node, F&& code) noexcept {
  return with_pinned(Pin::of_node(node.v), code);
}

/// Changes the node while nobody else runs it, as long as it takes new work.
template <class F>
Status change_node(p2pa_node node, F&& code) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    {
      const Lock lock(host.mutex);
      if (const Status status = host.accepting(); status < 0) return status;
    }
    return host.runner.change(code);
  });
}

/// For the handle of something that belongs to a node.
template <class F>
Status with_owner(std::uint64_t handle, F&& code) noexcept {
  return with_pinned(Pin::of(handle), code);
}

}  // namespace p2pa::capi
