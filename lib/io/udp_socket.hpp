#pragma once
// One UDP socket of a node. Linux sends and receives many datagrams with one call (sendmmsg, GSO,
// recvmmsg, GRO); everywhere else, and where one of these fails at run time, a call carries one.

#include <sys/socket.h>

#include <cstddef>
#include <memory>
#include <span>

#include "io/receive_buffers.hpp"
#include "p2pagents/error.hpp"
#include "transport/transport.hpp"

namespace p2pa::io {

/// What waits to be sent: a Transmit, and the part of it that the system has not taken yet.
struct Outgoing {
  Transmit transmit;
  ByteView bytes;
};

/// A bound, non-blocking socket with don't-fragment set, ECN and local addresses told in both
/// directions. IPv6 sockets carry IPv6 only.
class UdpSocket final {
 public:
  /// Segments of one GSO call; older kernels refuse more.
  static constexpr std::size_t kSegmentsMax = 64;
  /// Bytes of one call: an IPv4 datagram without its headers.
  static constexpr std::size_t kSendBytesMax = 65'507;
  /// Messages of one sendmmsg().
  static constexpr std::size_t kBatchMax = 16;

  /// `plain`: one datagram a call, even if the system can do better. `lan`: it may send to all hosts of a link, no
  /// further, its own included, and shares a port that is not 0 with others of the kind.
  /// Errors: kIo (detail: errno), for example when the port is taken.
  static Result<std::unique_ptr<UdpSocket>> bind(SocketId id, const IpEndpoint& local, bool plain, bool lan = false);
  UdpSocket(SocketId id, int fd) : id_(id), fd_(fd) {}  ///< for bind()
  ~UdpSocket();
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;

  SocketId id() const { return id_; }
  int fd() const { return fd_; }
  const IpEndpoint& local() const { return local_; }  ///< with the port that the system chose
  std::size_t segments_max() const { return gso_ ? kSegmentsMax : 1; }

  /// Fills `buffers` with what has arrived. False: nothing more waits; true: call again.
  bool receive(ReceiveBuffers& buffers);

  /// Sends in order and answers how many were dealt with. Fewer than given: the system's buffer is
  /// full; the next one holds the bytes that remain, wait until the socket is writable. A datagram
  /// that cannot be sent (too large, no route) is lost, as the network would lose it.
  std::size_t send(std::span<Outgoing> batch);

 private:
  enum class Sent { kDone, kFull };

  Result<void> open(const IpEndpoint& local, bool plain, bool lan);
  void use_fast_path();

  bool receive_plain(ReceiveBuffers& buffers);
  bool receive_many(ReceiveBuffers& buffers);
  std::size_t send_many(std::span<Outgoing> batch);
  Sent send_one(Outgoing& out);
  int send_chunk(const Outgoing& out, std::size_t size);
  std::size_t chunk_of(const Outgoing& out) const;
  /// Lays out one call's message; `message`, `control` and the rest live until the call.
  struct Message;
  void lay_out(const Outgoing& out, std::size_t size, Message& message, msghdr& header) const;

  SocketId id_;
  int fd_;
  IpEndpoint local_;
  bool gso_ = false;   ///< several segments a message
  bool mmsg_ = false;  ///< several messages a call
};

}  // namespace p2pa::io
