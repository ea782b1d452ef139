#include "io/udp_control.hpp"

#include <netinet/in.h>
#include <netinet/udp.h>

#include <cstring>

#include "io/socket_address.hpp"

namespace p2pa::io {
namespace {

constexpr int kEcnBits = 3;

template <class T>
T value_of(const cmsghdr* header) {
  T out{};
  std::memcpy(&out, CMSG_DATA(header), sizeof out);
  return out;
}

/// The traffic class comes as one byte or as an int, after the family and the system.
Ecn ecn_of(const cmsghdr* header) {
  const bool wide = header->cmsg_len >= CMSG_LEN(sizeof(int));
  const int traffic_class = wide ? value_of<int>(header) : value_of<std::uint8_t>(header);
  return static_cast<Ecn>(traffic_class & kEcnBits);
}

void read_ip4(const cmsghdr* header, InboundDatagram& datagram) {
  if (header->cmsg_type == IP_PKTINFO) {
    datagram.local.ip = to_ip_address(value_of<in_pktinfo>(header).ipi_addr);
  } else if (header->cmsg_type == IP_TOS || header->cmsg_type == IP_RECVTOS) {
    datagram.ecn = ecn_of(header);
  }
}

void read_ip6(const cmsghdr* header, InboundDatagram& datagram) {
  if (header->cmsg_type == IPV6_PKTINFO) {
    const auto info = value_of<in6_pktinfo>(header);
    datagram.local.ip = to_ip_address(info.ipi6_addr);
    datagram.local.scope = datagram.local.ip.is_link_local() ? info.ipi6_ifindex : 0;
  } else if (header->cmsg_type == IPV6_TCLASS) {
    datagram.ecn = ecn_of(header);
  }
}

}  // namespace

template <class T>
void SendControl::add(int level, int type, const T& value) {
  cmsghdr header{};
  header.cmsg_level = level;
  header.cmsg_type = type;
  header.cmsg_len = CMSG_LEN(sizeof value);
  std::uint8_t* const at = bytes_.data() + used_;
  std::memset(at, 0, CMSG_SPACE(sizeof value));
  std::memcpy(at, &header, sizeof header);
  std::memcpy(at + CMSG_LEN(0), &value, sizeof value);
  used_ += CMSG_SPACE(sizeof value);
}

void SendControl::local_address(const IpEndpoint& local) {
  if (local.ip.v6) {
    in6_pktinfo info{};
    info.ipi6_addr = to_in6_addr(local.ip);
    info.ipi6_ifindex = local.scope;
    add(IPPROTO_IPV6, IPV6_PKTINFO, info);
  } else {
    in_pktinfo info{};
    info.ipi_spec_dst = to_in_addr(local.ip);
    add(IPPROTO_IP, IP_PKTINFO, info);
  }
}

void SendControl::ecn(Ecn mark, bool v6) {
  const int traffic_class = static_cast<int>(mark);
  if (v6) {
    add(IPPROTO_IPV6, IPV6_TCLASS, traffic_class);
  } else {
    add(IPPROTO_IP, IP_TOS, traffic_class);
  }
}

void SendControl::segment_size([[maybe_unused]] std::size_t size) {
#ifdef UDP_SEGMENT
  add(IPPROTO_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(size));
#endif
}

void SendControl::attach_to(msghdr& message) {
  message.msg_control = used_ == 0 ? nullptr : bytes_.data();
  message.msg_controllen = used_;
}

void read_control(msghdr& message, InboundDatagram& datagram) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == IPPROTO_IP) read_ip4(header, datagram);
    if (header->cmsg_level == IPPROTO_IPV6) read_ip6(header, datagram);
#ifdef UDP_GRO
    if (header->cmsg_level == IPPROTO_UDP && header->cmsg_type == UDP_GRO) {
      datagram.segment_size = static_cast<std::size_t>(value_of<int>(header));
    }
#endif
  }
}

}  // namespace p2pa::io
