#pragma once
// One TCP connection of a node, as the system has it.

#include <cstddef>
#include <memory>

#include "address/ip_endpoint.hpp"
#include "p2pagents/error.hpp"

namespace p2pa::io {

/// What a read brought: bytes, the peer's end, or neither, when nothing waits.
struct TcpInput {
  std::size_t size = 0;
  bool end = false;
};

/// A non-blocking stream socket without delay (RFC 896's algorithm) and without keep-alive: what runs
/// on it gathers and pings for itself. Its destructor closes it: what the system has taken still goes,
/// unless bytes came that nobody read, or come later; then the system resets the connection.
class TcpSocket final {
 public:
  /// Bytes that the system takes beyond what is on its way. More would only wait there, in front of
  /// what is more urgent.
  static constexpr int kUnsentBytesMax = 256 * 1024;

  /// Begins to connect; finish_connecting() once it is writable.
  /// Errors: those of finish_connecting().
  static Result<std::unique_ptr<TcpSocket>> connect(const IpEndpoint& remote);
  explicit TcpSocket(int fd);  ///< takes a socket that was accepted
  ~TcpSocket();
  TcpSocket(const TcpSocket&) = delete;
  TcpSocket& operator=(const TcpSocket&) = delete;

  int fd() const { return fd_; }

  /// The address that the system chose for our end. Errors, all with errno as detail: kUnreachable:
  /// the network or the host says no; kTimeout: nobody said anything; kIo: this system cannot.
  Result<IpEndpoint> finish_connecting();

  /// Fewer bytes than `buffer` has room for: nothing more waits, or the end does.
  /// Errors: kConnectionLost (detail: errno), after all that came before it was read.
  Result<TcpInput> receive(MutableBytes buffer);
  /// How many of `bytes` the system took. Fewer than given: wait until it is writable.
  /// Errors: kConnectionLost (detail: errno); what the peer said before can still be received.
  Result<std::size_t> send(ByteView bytes);

  /// Ends our direction, after all that was sent.
  void finish();
  /// Makes the destructor reset the connection, whatever is on its way.
  void reset_when_closed();

 private:
  int fd_;
};

}  // namespace p2pa::io
