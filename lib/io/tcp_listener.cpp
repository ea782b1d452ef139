#include "io/tcp_listener.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "io/socket_address.hpp"
#include "io/socket_calls.hpp"

namespace p2pa::io {
namespace {

/// Connections that broke while they waited say so to accept(): we try the next one, not for ever.
constexpr int kBrokenMax = 16;

/// What became of one connection while it waited (accept(2)).
bool is_of_connection(int error) {
  switch (error) {
    case ECONNABORTED:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case EINTR:
    case ENETDOWN:
    case ENETUNREACH:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case EPERM:
    case EPROTO: return true;
    default: return false;
  }
}

int accept_private(int listener, SocketAddress& from) {
  socklen_t size = sizeof from;
#ifdef SOCK_NONBLOCK
  return ::accept4(listener, &from.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
  const int fd = ::accept(listener, &from.any, &size);
  if (fd >= 0) make_private(fd);
  return fd;
#endif
}

Result<IpEndpoint> bound_address(int fd) {
  SocketAddress address;
  socklen_t size = sizeof address;
  if (::getsockname(fd, &address.any, &size) != 0) return system_failed("cannot read the bound address");
  return to_endpoint(address);
}

}  // namespace

Result<std::unique_ptr<TcpListener>> TcpListener::listen(SocketId id, const IpEndpoint& local) {
  const int fd = make_socket(local.ip.v6 ? AF_INET6 : AF_INET, SOCK_STREAM);
  if (fd < 0) return system_failed("cannot make a TCP socket");
  auto listener = std::make_unique<TcpListener>(id, fd);
  if (auto opened = listener->open(local); !opened) return std::unexpected(opened.error());
  return listener;
}

TcpListener::~TcpListener() { ::close(fd_); }

Result<void> TcpListener::open(const IpEndpoint& local) {
  if (local.ip.v6 && !set_option(fd_, IPPROTO_IPV6, IPV6_V6ONLY, 1)) {
    return system_failed("cannot keep IPv4 out");
  }
  // A node that starts again takes its port while connections of its last life fade away.
  set_option(fd_, SOL_SOCKET, SO_REUSEADDR, 1);
  SocketAddress address;
  const socklen_t size = to_socket_address(local, address);
  if (::bind(fd_, &address.any, size) != 0) return system_failed("cannot bind the TCP address");
  if (::listen(fd_, kBacklog) != 0) return system_failed("cannot listen on the TCP address");
  auto bound = bound_address(fd_);
  if (!bound) return std::unexpected(bound.error());
  local_ = *bound;
  return {};
}

Result<TcpListener::Accepted> TcpListener::accept() {
  for (int broken = 0; broken < kBrokenMax; ++broken) {
    SocketAddress from;
    const int fd = accept_private(fd_, from);
    if (fd < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      if (!is_of_connection(errno)) return system_failed("cannot accept a connection");
      continue;
    }
    auto socket = std::make_unique<TcpSocket>(fd);
    const Result<IpEndpoint> local = local_.ip.is_unspecified() ? bound_address(fd) : local_;
    if (local) return Accepted{std::move(socket), *local, to_endpoint(from)};
  }
  return fail(Code::kWouldBlock, "no connection waits");
}

}  // namespace p2pa::io
