#include "io/tcp_socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "io/socket_address.hpp"
#include "io/socket_calls.hpp"

namespace p2pa::io {
namespace {

#ifdef MSG_NOSIGNAL
constexpr int kSendFlags = MSG_NOSIGNAL;  // SIGPIPE would end the host
#else
constexpr int kSendFlags = 0;
#endif

bool is_nothing_now(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

std::unexpected<Error> not_connected(int error) {
  const auto detail = static_cast<std::uint64_t>(error);
  switch (error) {
    case ECONNREFUSED:
    case ECONNRESET: return fail(Code::kUnreachable, "nobody listens on that TCP port", detail);
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETDOWN:
    case ENETUNREACH: return fail(Code::kUnreachable, "no route to that TCP address", detail);
    case ETIMEDOUT: return fail(Code::kTimeout, "the TCP address does not answer", detail);
    default: return fail(Code::kIo, "cannot connect by TCP", detail);
  }
}

std::unexpected<Error> lost(int error) {
  return fail(Code::kConnectionLost, "the TCP connection broke", static_cast<std::uint64_t>(error));
}

}  // namespace

TcpSocket::TcpSocket(int fd) : fd_(fd) {
  set_option(fd_, IPPROTO_TCP, TCP_NODELAY, 1);
#ifdef TCP_NOTSENT_LOWAT
  set_option(fd_, IPPROTO_TCP, TCP_NOTSENT_LOWAT, kUnsentBytesMax);
#endif
#ifdef SO_NOSIGPIPE
  set_option(fd_, SOL_SOCKET, SO_NOSIGPIPE, 1);
#endif
}

TcpSocket::~TcpSocket() { ::close(fd_); }

Result<std::unique_ptr<TcpSocket>> TcpSocket::connect(const IpEndpoint& remote) {
  const int fd = make_socket(remote.ip.v6 ? AF_INET6 : AF_INET, SOCK_STREAM);
  if (fd < 0) return not_connected(errno);
  auto socket = std::make_unique<TcpSocket>(fd);
  SocketAddress address;
  const socklen_t size = to_socket_address(remote, address);
  // One that a signal interrupts goes on by itself.
  if (::connect(fd, &address.any, size) != 0 && errno != EINPROGRESS && errno != EINTR) {
    return not_connected(errno);
  }
  return socket;
}

Result<IpEndpoint> TcpSocket::finish_connecting() {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return not_connected(error);
  SocketAddress address;
  size = sizeof address;
  if (::getsockname(fd_, &address.any, &size) != 0) return not_connected(errno);
  return to_endpoint(address);
}

Result<TcpInput> TcpSocket::receive(MutableBytes buffer) {
  for (;;) {
    const ssize_t size = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (size > 0) return TcpInput{static_cast<std::size_t>(size), false};
    if (size == 0) return TcpInput{0, true};
    if (is_nothing_now(errno)) return TcpInput{};
    if (errno != EINTR) return lost(errno);
  }
}

Result<std::size_t> TcpSocket::send(ByteView bytes) {
  for (;;) {
    const ssize_t size = ::send(fd_, bytes.data(), bytes.size(), kSendFlags);
    if (size >= 0) return static_cast<std::size_t>(size);
    if (is_nothing_now(errno)) return 0;
    if (errno != EINTR) return lost(errno);
  }
}

void TcpSocket::finish() { ::shutdown(fd_, SHUT_WR); }

void TcpSocket::reset_when_closed() {
  const linger at_once{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace p2pa::io
