#pragma once
// One TCP address that a node listens on.

#include <memory>

#include "io/tcp_socket.hpp"
#include "transport/transport.hpp"

namespace p2pa::io {

/// A bound, non-blocking, listening socket. IPv6 ones take IPv6 only.
class TcpListener final {
 public:
  /// Connections that the system completes before we take them; it may clip that.
  static constexpr int kBacklog = 256;

  struct Accepted {
    std::unique_ptr<TcpSocket> socket;
    IpEndpoint local, remote;
  };

  /// Port 0: any. Errors: kIo (detail: errno), for example when the port is taken.
  static Result<std::unique_ptr<TcpListener>> listen(SocketId id, const IpEndpoint& local);
  TcpListener(SocketId id, int fd) : id_(id), fd_(fd) {}  ///< for listen()
  ~TcpListener();
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;

  SocketId id() const { return id_; }
  int fd() const { return fd_; }
  const IpEndpoint& local() const { return local_; }  ///< with the port that the system chose

  /// The next that waits. Errors: kWouldBlock: nobody does. kIo (detail: errno): the system is out of
  /// descriptors or memory: who waits goes on waiting, and the socket stays readable.
  Result<Accepted> accept();

 private:
  Result<void> open(const IpEndpoint& local);

  SocketId id_;
  int fd_;
  IpEndpoint local_;
};

}  // namespace p2pa::io
