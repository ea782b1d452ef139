#pragma once
// The control messages beside a datagram: local address, ECN, segment size (RFC 3542, udp(7)).

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "transport/transport.hpp"

namespace p2pa::io {

/// Room for the local address, ECN and the segment size, with their headers.
inline constexpr std::size_t kControlBytes = 128;

/// The control messages of one datagram (or GSO batch) to send. Lives until the call that sends.
class SendControl {
 public:
  void local_address(const IpEndpoint& local);
  void ecn(Ecn mark, bool v6);
  void segment_size(std::size_t size);  ///< Linux only
  void attach_to(msghdr& message);

 private:
  template <class T>
  void add(int level, int type, const T& value);

  alignas(cmsghdr) std::array<std::uint8_t, kControlBytes> bytes_;  // filled up to used_
  std::size_t used_ = 0;
};

/// Reads what came with a received message into `local.ip`, `local.scope`, `ecn` and
/// `segment_size` of the datagram; leaves alone what the system did not tell.
void read_control(msghdr& message, InboundDatagram& datagram);

}  // namespace p2pa::io
