#include "io/udp_socket.hpp"

#include <netinet/in.h>
#include <unistd.h>

#include "io/multicast.hpp"
#include "io/socket_address.hpp"
#include "io/socket_calls.hpp"

namespace p2pa::io {
namespace {

/// Asked for; the system clips it to what it allows (Linux: net.core.rmem_max, wmem_max).
constexpr int kSocketBufferBytes = 4 << 20;

/// Never fragment, and let path MTU discovery send beyond what the kernel believes to fit
/// (RFC 9000 §14): it is QUIC that measures the path.
void forbid_fragments(int fd, bool v6) {
#if defined(IP_MTU_DISCOVER)
  if (v6) {
    set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
  } else {
    set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
  }
#elif defined(IP_DONTFRAG)
  if (v6) {
    set_option(fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
  } else {
    set_option(fd, IPPROTO_IP, IP_DONTFRAG, 1);
  }
#endif
}

/// Without the local address a reply could leave from another one. ECN and buffers are a gain only.
bool ask_for_control(int fd, bool v6) {
  if (v6) {
    set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
    return set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  }
  set_option(fd, IPPROTO_IP, IP_RECVTOS, 1);
  return set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
}

}  // namespace

Result<std::unique_ptr<UdpSocket>> UdpSocket::bind(SocketId id, const IpEndpoint& local,
                                                   bool plain, bool lan) {
  const int fd = make_socket(local.ip.v6 ? AF_INET6 : AF_INET, SOCK_DGRAM);
  if (fd < 0) return system_failed("cannot make a UDP socket");
  auto socket = std::make_unique<UdpSocket>(id, fd);
  if (auto opened = socket->open(local, plain, lan); !opened) return std::unexpected(opened.error());
  return socket;
}

UdpSocket::~UdpSocket() { ::close(fd_); }

Result<void> UdpSocket::open(const IpEndpoint& local, bool plain, bool lan) {
  const bool v6 = local.ip.v6;
  if (v6 && !set_option(fd_, IPPROTO_IPV6, IPV6_V6ONLY, 1)) return system_failed("cannot keep IPv4 out");
  if (!ask_for_control(fd_, v6)) return system_failed("cannot ask for local addresses");
  forbid_fragments(fd_, v6);
  if (lan && !prepare_for_link(fd_, v6, local.port != 0)) return system_failed("cannot speak to a whole link");
  set_option(fd_, SOL_SOCKET, SO_RCVBUF, kSocketBufferBytes);
  set_option(fd_, SOL_SOCKET, SO_SNDBUF, kSocketBufferBytes);

  SocketAddress address;
  socklen_t size = to_socket_address(local, address);
  if (::bind(fd_, &address.any, size) != 0) return system_failed("cannot bind the UDP address");
  size = sizeof address;
  if (::getsockname(fd_, &address.any, &size) != 0) return system_failed("cannot read the bound address");
  local_ = to_endpoint(address);
  if (!plain) use_fast_path();
  return {};
}

bool UdpSocket::receive(ReceiveBuffers& buffers) {
  buffers.clear();
  return mmsg_ ? receive_many(buffers) : receive_plain(buffers);
}

std::size_t UdpSocket::send(std::span<Outgoing> batch) {
  std::size_t done = 0;
  while (done < batch.size()) {
    // Many at once as long as it is plain sailing; what is not, send_one() looks at.
    const std::span<Outgoing> rest = batch.subspan(done);
    const std::size_t together = mmsg_ && rest.size() > 1 ? send_many(rest) : 0;
    done += together;
    if (together > 0) continue;
    if (send_one(rest.front()) == Sent::kFull) break;
    ++done;
  }
  return done;
}

}  // namespace p2pa::io
