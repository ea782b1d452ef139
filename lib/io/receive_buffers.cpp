#include "io/receive_buffers.hpp"

namespace p2pa::io {

ReceiveBuffers::ReceiveBuffers()
    : bytes_(std::make_unique_for_overwrite<std::uint8_t[]>(kCount * kBytes)) {
  for (std::size_t i = 0; i < kCount; ++i) {
    slots_[i].bytes = {bytes_.get() + i * kBytes, kBytes};
    make_ready(i);
  }
}

msghdr& ReceiveBuffers::message(std::size_t i) {
#ifdef __linux__
  return messages_[i].msg_hdr;
#else
  return messages_[i];
#endif
}

void ReceiveBuffers::make_ready(std::size_t i) {
  Slot& slot = slots_[i];
  msghdr& out = message(i);
  out.msg_name = &slot.from;
  out.msg_namelen = sizeof slot.from;
  out.msg_iov = &slot.bytes;
  out.msg_iovlen = 1;
  out.msg_control = slot.control.data();
  out.msg_controllen = slot.control.size();
  out.msg_flags = 0;
}

void ReceiveBuffers::take(std::size_t i, std::size_t size, SocketId socket,
                          const IpEndpoint& local) {
  if (size > 0) {
    InboundDatagram& datagram = datagrams_[count_++];
    datagram.socket = socket;
    datagram.local = local;
    datagram.remote = to_endpoint(slots_[i].from);
    datagram.ecn = Ecn::kNone;
    datagram.segment_size = size;
    datagram.bytes = {bytes_.get() + i * kBytes, size};
    read_control(message(i), datagram);
  }
  make_ready(i);
}

}  // namespace p2pa::io
