#include "io/socket_calls.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

namespace p2pa::io {

int make_socket(int family, int type) {
#ifdef SOCK_NONBLOCK
  return ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
#else
  const int fd = ::socket(family, type, 0);
  if (fd >= 0) make_private(fd);
  return fd;
#endif
}

void make_private(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

bool set_option(int fd, int level, int option, int value) {
  return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

std::unexpected<Error> system_failed(const char* why) {
  return fail(Code::kIo, why, static_cast<std::uint64_t>(errno));
}

}  // namespace p2pa::io
