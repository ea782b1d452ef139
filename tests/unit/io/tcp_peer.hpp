#pragma once
// The other end of a TCP connection under test: a plain socket that does what it is told, and can be
// slow, rude, or gone. It waits for what a test asks of it; nothing is timed.

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <utility>

#include "io/socket_address.hpp"

namespace p2pa::io {

inline IpEndpoint loopback(bool v6 = false, std::uint16_t port = 0) {
  return {IpAddress::parse(v6 ? "::1" : "127.0.0.1").value(), port, 0};
}

inline Bytes pattern(std::size_t size, std::uint8_t first = 0) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(first + i * 7 + i / 251);
  return out;
}

class TcpPeer {
 public:
  explicit TcpPeer(int fd) : fd_(fd) { REQUIRE(fd >= 0); }
  /// `buffer_bytes`: how little it takes without reading; 0: as the system likes.
  static TcpPeer connect(const IpEndpoint& remote, int buffer_bytes = 0) {
    TcpPeer out(::socket(remote.ip.v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0));
    out.limit(buffer_bytes);
    SocketAddress address;
    const socklen_t size = to_socket_address(remote, address);
    REQUIRE(::connect(out.fd_, &address.any, size) == 0);
    return out;
  }
  static TcpPeer listen(const IpEndpoint& local, int buffer_bytes = 0) {
    TcpPeer out(::socket(local.ip.v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0));
    out.limit(buffer_bytes);
    SocketAddress address;
    const socklen_t size = to_socket_address(local, address);
    REQUIRE(::bind(out.fd_, &address.any, size) == 0);
    REQUIRE(::listen(out.fd_, 16) == 0);
    return out;
  }
  TcpPeer(TcpPeer&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  TcpPeer& operator=(TcpPeer&&) = delete;
  ~TcpPeer() { close(); }

  TcpPeer accept() const { return TcpPeer(::accept(fd_, nullptr, nullptr)); }
  IpEndpoint local() const {
    SocketAddress address;
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(fd_, &address.any, &size) == 0);
    return to_endpoint(address);
  }

  void write(ByteView bytes) const {
    while (!bytes.empty()) {
      const ssize_t size = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      REQUIRE(size > 0);
      bytes = bytes.subspan(static_cast<std::size_t>(size));
    }
  }
  /// What waits to be read, and no more than `size`; sleeps until there is something.
  Bytes read(std::size_t size) {
    Bytes out(size);
    const ssize_t got = ::recv(fd_, out.data(), size, 0);
    error_ = got < 0 ? errno : 0;
    at_end_ = got == 0;
    out.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return out;
  }
  Bytes read_exactly(std::size_t size) {
    Bytes out;
    while (out.size() < size) {
      const Bytes part = read(size - out.size());
      if (part.empty()) break;
      out.insert(out.end(), part.begin(), part.end());
    }
    return out;
  }
  /// Does the other end answer bytes with a reset? The first byte provokes it, the second shows it.
  bool refused() const {
    const std::uint8_t byte = 0;
    const bool sent = ::send(fd_, &byte, 1, MSG_NOSIGNAL) == 1;
    return !sent || ::send(fd_, &byte, 1, MSG_NOSIGNAL) != 1;
  }
  /// Of the last read.
  bool at_end() const { return at_end_; }
  int error() const { return error_; }

  void finish() const { REQUIRE(::shutdown(fd_, SHUT_WR) == 0); }
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  void limit(int bytes) const {
    if (bytes > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  }

  int fd_;
  bool at_end_ = false;
  int error_ = 0;
};

}  // namespace p2pa::io
