#pragma once
// The two ends of a path as the QUIC engine sees them. Included from .cpp files only.

#include <cstdint>

#include "address/ip_endpoint.hpp"
#include "transport/quic/compat.hpp"
#include "transport/transport.hpp"

namespace p2pa::quic {

/// Our end of a path: that of a dialer is as its socket was bound, most often to the unspecified
/// address; that of who was dialed is the address that the peer used. Since it is part of the path, it
/// changes as the path does: only with a packet that was authentic, and after a validation.
struct LocalEnd {
  SocketId socket = 0;
  IpEndpoint address;
};

/// Storage for one ngtcp2_path. Not copied: the path points into it.
class EnginePath final {
 public:
  EnginePath(const LocalEnd& local, const IpEndpoint& remote);
  EnginePath(const EnginePath&) = delete;
  EnginePath& operator=(const EnginePath&) = delete;
  const ngtcp2_path& get() const { return path_; }

 private:
  ngtcp2_sockaddr_in6 local_{};
  union {
    ngtcp2_sockaddr_in v4;
    ngtcp2_sockaddr_in6 v6;
  } remote_;
  ngtcp2_path path_{};
};

/// Nothing but the host itself lies between them.
bool same_host(const IpEndpoint& local, const IpEndpoint& remote);

LocalEnd local_of(const ngtcp2_path& path);
IpEndpoint remote_of(const ngtcp2_path& path);

}  // namespace p2pa::quic
