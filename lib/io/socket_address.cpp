#include "io/socket_address.hpp"

#include <cstring>

namespace p2pa::io {

IpAddress to_ip_address(const in_addr& address) {
  IpAddress out;
  std::memcpy(out.bytes.data(), &address, sizeof address);
  return out;
}

IpAddress to_ip_address(const in6_addr& address) {
  IpAddress out;
  out.v6 = true;
  std::memcpy(out.bytes.data(), &address, sizeof address);
  return out;
}

in_addr to_in_addr(const IpAddress& address) {
  in_addr out;
  std::memcpy(&out, address.bytes.data(), sizeof out);
  return out;
}

in6_addr to_in6_addr(const IpAddress& address) {
  in6_addr out;
  std::memcpy(&out, address.bytes.data(), sizeof out);
  return out;
}

socklen_t to_socket_address(const IpEndpoint& endpoint, SocketAddress& out) {
  if (endpoint.ip.v6) {
    out.v6 = {};
    out.v6.sin6_family = AF_INET6;
    out.v6.sin6_port = htons(endpoint.port);
    out.v6.sin6_addr = to_in6_addr(endpoint.ip);
    out.v6.sin6_scope_id = endpoint.scope;
    return sizeof out.v6;
  }
  out.v4 = {};
  out.v4.sin_family = AF_INET;
  out.v4.sin_port = htons(endpoint.port);
  out.v4.sin_addr = to_in_addr(endpoint.ip);
  return sizeof out.v4;
}

IpEndpoint to_endpoint(const SocketAddress& address) {
  if (address.any.sa_family == AF_INET6) {
    return {to_ip_address(address.v6.sin6_addr), ntohs(address.v6.sin6_port),
            address.v6.sin6_scope_id};
  }
  return {to_ip_address(address.v4.sin_addr), ntohs(address.v4.sin_port), 0};
}

}  // namespace p2pa::io
