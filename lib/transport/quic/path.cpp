#include "transport/quic/path.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace p2pa::quic {
namespace {

constexpr std::array<std::uint8_t, 16> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::uint16_t network_order(std::uint16_t value) {
  const std::uint8_t bytes[] = {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
  std::uint16_t out;
  std::memcpy(&out, bytes, sizeof out);
  return out;
}

std::uint16_t host_order(std::uint16_t value) {
  std::uint8_t bytes[2];
  std::memcpy(bytes, &value, sizeof bytes);
  return static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]);
}

}  // namespace

// The engine compares address and port; the rest it only carries: there is the socket, which the port
// tells from others. An IPv4 address is mapped (RFC 4291 §2.5.5.2).
EnginePath::EnginePath(const LocalEnd& local, const IpEndpoint& remote) {
  std::memset(&remote_, 0, sizeof remote_);
  local_.sin6_family = NGTCP2_AF_INET6;
  local_.sin6_port = network_order(local.address.port);
  local_.sin6_scope_id = local.address.scope;
  local_.sin6_flowinfo = local.socket;
  std::array<std::uint8_t, 16> ip = local.address.ip.bytes;
  if (!local.address.ip.v6) {
    ip = kMapped;
    std::copy_n(local.address.ip.bytes.begin(), 4, ip.begin() + 12);
  }
  std::memcpy(&local_.sin6_addr, ip.data(), ip.size());
  path_.local = {reinterpret_cast<ngtcp2_sockaddr*>(&local_), sizeof local_};
  if (remote.ip.v6) {
    remote_.v6.sin6_family = NGTCP2_AF_INET6;
    remote_.v6.sin6_port = network_order(remote.port);
    remote_.v6.sin6_scope_id = remote.scope;
    std::memcpy(&remote_.v6.sin6_addr, remote.ip.bytes.data(), 16);
    path_.remote = {reinterpret_cast<ngtcp2_sockaddr*>(&remote_), sizeof remote_.v6};
  } else {
    remote_.v4.sin_family = NGTCP2_AF_INET;
    remote_.v4.sin_port = network_order(remote.port);
    std::memcpy(&remote_.v4.sin_addr, remote.ip.bytes.data(), 4);
    path_.remote = {reinterpret_cast<ngtcp2_sockaddr*>(&remote_), sizeof remote_.v4};
  }
}

bool same_host(const IpEndpoint& local, const IpEndpoint& remote) {
  return remote.ip.is_loopback() || remote.ip == local.ip;
}

LocalEnd local_of(const ngtcp2_path& path) {
  ngtcp2_sockaddr_in6 address;
  std::memcpy(&address, path.local.addr, sizeof address);
  LocalEnd out;
  out.socket = address.sin6_flowinfo;
  out.address.port = host_order(address.sin6_port);
  out.address.scope = address.sin6_scope_id;
  std::array<std::uint8_t, 16> ip;
  std::memcpy(ip.data(), &address.sin6_addr, ip.size());
  out.address.ip.v6 = !std::equal(ip.begin(), ip.begin() + 12, kMapped.begin());
  if (out.address.ip.v6) {
    out.address.ip.bytes = ip;
  } else {
    std::copy_n(ip.begin() + 12, 4, out.address.ip.bytes.begin());
  }
  return out;
}

IpEndpoint remote_of(const ngtcp2_path& path) {
  IpEndpoint out;
  if (path.remote.addr->sa_family == NGTCP2_AF_INET6) {
    ngtcp2_sockaddr_in6 address;
    std::memcpy(&address, path.remote.addr, sizeof address);
    out.ip.v6 = true;
    out.port = host_order(address.sin6_port);
    out.scope = address.sin6_scope_id;
    std::memcpy(out.ip.bytes.data(), &address.sin6_addr, 16);
  } else {
    ngtcp2_sockaddr_in address;
    std::memcpy(&address, path.remote.addr, sizeof address);
    out.port = host_order(address.sin_port);
    std::memcpy(out.ip.bytes.data(), &address.sin_addr, 4);
  }
  return out;
}

}  // namespace p2pa::quic
