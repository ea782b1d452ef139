#pragma once
// Where datagrams land.

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "io/socket_address.hpp"
#include "io/udp_control.hpp"
#include "transport/transport.hpp"

namespace p2pa::io {

/// A few buffers of 64 KB (what GRO may deliver at once), shared by all sockets of a driver and used
/// again by the next receive(). Pages that no datagram reached are never touched.
class ReceiveBuffers final {
 public:
  static constexpr std::size_t kCount = 8;
  static constexpr std::size_t kBytes = 65'536;

  ReceiveBuffers();
  ReceiveBuffers(const ReceiveBuffers&) = delete;
  ReceiveBuffers& operator=(const ReceiveBuffers&) = delete;

  /// The message of slot `i`, all its room to be filled by the system.
  void make_ready(std::size_t i);
  msghdr& message(std::size_t i);
  /// Adds what the system put into slot `i` to datagrams(). Empty datagrams mean nothing to any
  /// protocol of ours and are left out.
  void take(std::size_t i, std::size_t size, SocketId socket, const IpEndpoint& local);

  void clear() { count_ = 0; }
  std::span<const InboundDatagram> datagrams() const { return {datagrams_.data(), count_}; }

#ifdef __linux__
  mmsghdr* messages() { return messages_.data(); }
#endif

 private:
  struct Slot {
    SocketAddress from;
    iovec bytes;
    alignas(cmsghdr) std::array<std::uint8_t, kControlBytes> control;
  };
#ifdef __linux__
  std::array<mmsghdr, kCount> messages_{};
#else
  std::array<msghdr, kCount> messages_{};
#endif
  std::array<Slot, kCount> slots_{};
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::array<InboundDatagram, kCount> datagrams_{};
  std::size_t count_ = 0;
};

}  // namespace p2pa::io
