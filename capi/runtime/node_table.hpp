#pragma once
#include <cstddef>
#include <cstdint>

#include "runtime/host.hpp"

namespace p2pa::capi {

/// Nodes that may be open in one process at the same time.
inline constexpr std::size_t kNodesMax = 4096;

/// Keeps a host from being destroyed while an entry point uses it. Empty: the handle is stale.
class Pin final {
 public:
  /// The host that a handle of any kind belongs to.
  static Pin of(std::uint64_t handle) noexcept;
  /// The host of a node's own handle.
  static Pin of_node(std::uint64_t handle) noexcept;

  Pin() = default;
  Pin(Pin&& o) noexcept : host_(std::exchange(o.host_, nullptr)) {}
  Pin& operator=(Pin&&) = delete;
  ~Pin();
  explicit operator bool() const { return host_ != nullptr; }
  Host& operator*() const { return *host_; }
  Host* operator->() const { return host_; }

 private:
  explicit Pin(Host* host) : host_(host) {}
  Host* host_ = nullptr;
};

/// Gives the host its place in the process and its handle; the table owns it from then on.
/// False, and `host` is left alone: kNodesMax are open.
bool enter_table(std::unique_ptr<Host>& host) noexcept;

/// Takes the node out of the table, so that its handle is stale, and destroys it when nobody uses it
/// any more. P2PA_E_WRONG_THREAD inside a callback of it; P2PA_E_STALE_HANDLE.
Status free_node(std::uint64_t handle) noexcept;

}  // namespace p2pa::capi
