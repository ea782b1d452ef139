#pragma once
// What every entry point does first: nothing escapes, and a handle is checked before it is used.

#include "convert.hpp"
#include "fault.hpp"
#include "runtime/node_table.hpp"

namespace p2pa::capi {

template <class F>
Status guarded(F&& code) noexcept {
  try {
    P2PA_FAULT_POINT();
    return code();
  } catch (...) {
    return status_of_exception();
  }
}

/// Runs `code(host)` for a node's handle.
template <class F>
Status with_node(p2pa_node node, F&& code) noexcept {
  return guarded([&]() -> Status {
    const Pin pin = Pin::of_node(node.v);
    return pin ? code(*pin) : P2PA_E_STALE_HANDLE;
  });
}

/// Runs `code(host)` for the handle of something that belongs to a node.
template <class F>
Status with_owner(std::uint64_t handle, F&& code) noexcept {
  return guarded([&]() -> Status {
    const Pin pin = Pin::of(handle);
    return pin ? code(*pin) : P2PA_E_STALE_HANDLE;
  });
}

}  // namespace p2pa::capi
