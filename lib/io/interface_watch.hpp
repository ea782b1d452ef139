#pragma once
// Notices that the addresses of this host change.

#include "io/uv_loop.hpp"
#include "p2pagents/time.hpp"

namespace p2pa::io {

/// How often it is worth looking where the system does not tell.
inline constexpr Duration kInterfacesLook = seconds(5);

/// What the kernel says of links and addresses (rtnetlink(7)): a descriptor that is readable when there is
/// something. -1 where that cannot be had, on another system or for want of a descriptor.
int open_interface_messages();

/// Listens to such a descriptor. Without one it takes every few seconds for a change: whoever compares the
/// addresses sees whether it was one.
class InterfaceWatch final {
 public:
  /// Takes the descriptor. REQUIRES that the loop outlives it.
  InterfaceWatch(UvLoop& loop, int messages, Instant now);
  ~InterfaceWatch();
  InterfaceWatch(const InterfaceWatch&) = delete;
  InterfaceWatch& operator=(const InterfaceWatch&) = delete;

  /// Has something changed since the last call, perhaps?
  bool changed(Instant now);
  /// When to ask though the loop was silent.
  Instant next_deadline() const { return look_at_; }

 private:
  UvLoop& loop_;
  const int fd_;
  Watch* watch_ = nullptr;
  Instant look_at_ = kNever;
};

}  // namespace p2pa::io
