#include "io/multicast.hpp"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <memory>
#include <set>

#include "io/socket_address.hpp"
#include "io/socket_calls.hpp"

namespace p2pa::io {
namespace {

bool prepare_ip4(int fd) {
#ifdef IP_MULTICAST_ALL
  if (!set_option(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0)) return false;
#endif
  return set_option(fd, SOL_SOCKET, SO_BROADCAST, 1) && set_option(fd, IPPROTO_IP, IP_MULTICAST_TTL, 1) &&
         set_option(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 1);
}

bool prepare_ip6(int fd) {
#ifdef IPV6_MULTICAST_ALL
  set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);  // since Linux 4.20; who has joined nothing of the kind
#endif
  return set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1) && set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1);
}

/// Numbers of the interfaces; each has an entry for every address, and one for what is none of IP's.
std::set<unsigned> multicast_interfaces() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  std::set<unsigned> out;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    const bool up = (entry->ifa_flags & IFF_UP) != 0;
    const bool takes_part = (entry->ifa_flags & (IFF_MULTICAST | IFF_LOOPBACK)) != 0;
    if (const unsigned index = ::if_nametoindex(entry->ifa_name); up && takes_part && index != 0) out.insert(index);
  }
  return out;
}

void join_on(int fd, const IpAddress& group, unsigned interface) {
  if (group.v6) {
    ipv6_mreq request{};
    request.ipv6mr_multiaddr = to_in6_addr(group);
    request.ipv6mr_interface = interface;
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request);
  } else {
    ip_mreqn request{};
    request.imr_multiaddr = to_in_addr(group);
    request.imr_ifindex = static_cast<int>(interface);
    ::setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request);
  }
}

}  // namespace

bool prepare_for_link(int fd, bool v6, bool shared) {
  if (shared) {
    if (!set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1)) return false;
#ifndef __linux__  // there SO_REUSEADDR is enough for datagrams, and goes between users
    if (!set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1)) return false;
#endif
  }
  return v6 ? prepare_ip6(fd) : prepare_ip4(fd);
}

void join_group(int fd, const IpAddress& group) {
  for (const unsigned interface : multicast_interfaces()) join_on(fd, group, interface);
}

}  // namespace p2pa::io
