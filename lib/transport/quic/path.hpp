#pragma once
// The two ends of a path as the QUIC engine sees them. Included from .cpp files only.

#include <cstdint>

#include "address/ip_endpoint.hpp"
#include "transport/quic/compat.hpp"
#include "transport/transport.hpp"

namespace p2pa::quic {

/// The engine only compares local addresses, so ours name the socket and not an interface: a socket
/// bound to the unspecified address is one local end, whatever address a datagram came in on. The
/// epoch makes the same socket a new path when the interfaces under it changed.
struct LocalEnd {
  SocketId socket = 0;
  std::uint16_t epoch = 0;
};

/// Storage for one ngtcp2_path. Not copied: the path points into it.
class EnginePath final {
 public:
  EnginePath(LocalEnd local, const IpEndpoint& remote);
  EnginePath(const EnginePath&) = delete;
  EnginePath& operator=(const EnginePath&) = delete;
  const ngtcp2_path& get() const { return path_; }

 private:
  ngtcp2_sockaddr_in local_{};
  union {
    ngtcp2_sockaddr_in v4;
    ngtcp2_sockaddr_in6 v6;
  } remote_;
  ngtcp2_path path_{};
};

LocalEnd local_of(const ngtcp2_path& path);
IpEndpoint remote_of(const ngtcp2_path& path);

}  // namespace p2pa::quic
