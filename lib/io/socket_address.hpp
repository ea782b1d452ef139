#pragma once
// IpEndpoint and the system's own form of it.

#include <netinet/in.h>
#include <sys/socket.h>

#include "address/ip_endpoint.hpp"

namespace p2pa::io {

/// sockaddr_storage, without its 100 bytes that IP never uses.
union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

/// Fills `out`, and answers how many bytes of it count.
socklen_t to_socket_address(const IpEndpoint& endpoint, SocketAddress& out);

/// REQUIRES the family is AF_INET or AF_INET6.
IpEndpoint to_endpoint(const SocketAddress& address);

IpAddress to_ip_address(const in_addr& address);
IpAddress to_ip_address(const in6_addr& address);
in_addr to_in_addr(const IpAddress& address);
in6_addr to_in6_addr(const IpAddress& address);

}  // namespace p2pa::io
