#pragma once
// Notices that the addresses of this host change.

#include "io/uv_loop.hpp"
#include "p2pagents/time.hpp"

namespace p2pa::io {

/// How often it is worth looking where the system does not tell.
inline constexpr Duration kInterfacesLook = seconds(5);

/// Listens to what the kernel says of links and addresses (rtnetlink(7)). Where that cannot be had, on another
/// system or for want of a descriptor, it takes every few seconds for a change: who compares the addresses sees.
class InterfaceWatch final {
 public:
  /// REQUIRES that the loop outlives it.
  InterfaceWatch(UvLoop& loop, Instant now);
  ~InterfaceWatch();
  InterfaceWatch(const InterfaceWatch&) = delete;
  InterfaceWatch& operator=(const InterfaceWatch&) = delete;

  /// Has something changed since the last call, perhaps?
  bool changed(Instant now);
  /// When to ask though the loop was silent.
  Instant next_deadline() const { return look_at_; }

 private:
  UvLoop& loop_;
  int fd_ = -1;
  Watch* watch_ = nullptr;
  Instant look_at_ = kNever;
};

}  // namespace p2pa::io
