#include "io/interface_watch.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#ifdef __linux__
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#endif

namespace p2pa::io {

int open_interface_messages() {
#ifdef __linux__
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  if (fd < 0) return -1;
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
#endif
  return -1;
}

namespace {

/// Was there anything? What it says does not matter, and neither whether some of it was lost.
bool drain(int fd) {
  std::array<char, 8192> buffer;
  bool any = false;
  for (;;) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0 && errno != ENOBUFS) return any;
    any = true;
  }
}

}  // namespace

InterfaceWatch::InterfaceWatch(UvLoop& loop, int messages, Instant now) : loop_(loop), fd_(messages) {
  if (fd_ >= 0) {
    if (const auto watch = loop_.watch(fd_)) watch_ = *watch;
  }
  if (watch_ == nullptr) look_at_ = now + kInterfacesLook;
}

InterfaceWatch::~InterfaceWatch() {
  if (watch_ != nullptr) loop_.unwatch(watch_);
  if (fd_ >= 0) ::close(fd_);
}

bool InterfaceWatch::changed(Instant now) {
  if (watch_ != nullptr) {
    const bool failed = watch_->failed;  // it could not keep up, for example
    if (failed) loop_.want(watch_, true, false);
    if (!std::exchange(watch_->readable, false) && !failed) return false;
    return drain(fd_) || failed;
  }
  if (now < look_at_) return false;
  look_at_ = now + kInterfacesLook;
  return true;
}

}  // namespace p2pa::io
