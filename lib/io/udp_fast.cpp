// Many datagrams a call, where the system can (Linux).

#include <netinet/in.h>
#include <netinet/udp.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/assert.hpp"
#include "io/udp_message.hpp"

namespace p2pa::io {

#ifdef __linux__

void UdpSocket::use_fast_path() {
  int value = 0;
  socklen_t size = sizeof value;
  gso_ = ::getsockopt(fd_, IPPROTO_UDP, UDP_SEGMENT, &value, &size) == 0;
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_UDP, UDP_GRO, &on, sizeof on);  // without it segments come one by one
  mmsg_ = true;
}

bool UdpSocket::receive_many(ReceiveBuffers& buffers) {
  const int count = ::recvmmsg(fd_, buffers.messages(), ReceiveBuffers::kCount, 0, nullptr);
  if (count < 0) {
    if (errno == EAGAIN) return false;
    if (errno == ENOSYS) mmsg_ = false;
    return receive_plain(buffers);
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    buffers.take(i, buffers.messages()[i].msg_len, id_, local_);
  }
  return static_cast<std::size_t>(count) == ReceiveBuffers::kCount;
}

std::size_t UdpSocket::send_many(std::span<Outgoing> batch) {
  std::array<Message, kBatchMax> messages;
  std::array<mmsghdr, kBatchMax> headers;
  std::size_t count = 0;
  for (const Outgoing& out : batch.first(std::min(batch.size(), kBatchMax))) {
    P2PA_ASSERT(out.transmit.segment_size > 0);
    if (chunk_of(out) != out.bytes.size()) break;  // takes more than one message
    lay_out(out, out.bytes.size(), messages[count], headers[count].msg_hdr);
    ++count;
  }
  if (count == 0) return 0;
  const int sent = ::sendmmsg(fd_, headers.data(), static_cast<unsigned>(count), 0);
  if (sent < 0 && errno == ENOSYS) mmsg_ = false;
  return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

#else

void UdpSocket::use_fast_path() {}
bool UdpSocket::receive_many(ReceiveBuffers& buffers) { return receive_plain(buffers); }
std::size_t UdpSocket::send_many(std::span<Outgoing>) { return 0; }

#endif

}  // namespace p2pa::io
