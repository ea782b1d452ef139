// One message a call: what every system can do, and the place where errors are looked at.

#include <algorithm>
#include <cerrno>

#include "base/assert.hpp"
#include "io/udp_message.hpp"

namespace p2pa::io {
namespace {

/// A receive can report what an ICMP message said of an earlier send. That says nothing of what
/// waits to be read, so we try again, but not for ever.
constexpr int kReceiveErrorsMax = 4;

bool is_full(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

/// What an ICMP message said of an earlier datagram, told to a later call.
bool is_of_earlier_datagram(int error) { return error == ECONNREFUSED || error == ECONNRESET; }

/// What systems say when the address to leave from is on no interface any more. Some of it also
/// means that there is no route at all; a second try shows.
bool may_be_of_source(int error) {
  return error == EINVAL || error == EADDRNOTAVAIL || error == ENETUNREACH || error == EHOSTUNREACH;
}

}  // namespace

bool UdpSocket::receive_plain(ReceiveBuffers& buffers) {
  int errors = 0;
  for (std::size_t i = 0; i < ReceiveBuffers::kCount;) {
    const ssize_t size = ::recvmsg(fd_, &buffers.message(i), 0);
    if (size < 0) {
      if (errno == EINTR) continue;
      if (is_full(errno) || ++errors == kReceiveErrorsMax) return false;
      continue;
    }
    buffers.take(i++, static_cast<std::size_t>(size), id_, local_);
  }
  return true;
}

std::size_t UdpSocket::chunk_of(const Outgoing& out) const {
  const std::size_t segment = out.transmit.segment_size;
  if (!gso_) return std::min(segment, out.bytes.size());
  const std::size_t segments = std::clamp(kSendBytesMax / segment, std::size_t{1}, kSegmentsMax);
  return std::min(segments * segment, out.bytes.size());
}

void UdpSocket::lay_out(const Outgoing& out, std::size_t size, Message& message,
                        msghdr& header) const {
  const Transmit& transmit = out.transmit;
  header = {};
  header.msg_name = &message.to;
  header.msg_namelen = to_socket_address(transmit.remote, message.to);
  message.bytes = {const_cast<std::uint8_t*>(out.bytes.data()), size};
  header.msg_iov = &message.bytes;
  header.msg_iovlen = 1;
  const bool bound_to_it = transmit.local.ip == local_.ip;
  if (!bound_to_it && !transmit.local.ip.is_unspecified()) {
    message.control.local_address(transmit.local);
  }
  if (transmit.ecn != Ecn::kNone) message.control.ecn(transmit.ecn, transmit.remote.ip.v6);
  if (size > transmit.segment_size) message.control.segment_size(transmit.segment_size);
  message.control.attach_to(header);
}

int UdpSocket::send_chunk(const Outgoing& out, std::size_t size) {
  Message message;
  msghdr header;
  lay_out(out, size, message, header);
  while (::sendmsg(fd_, &header, 0) < 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

UdpSocket::Sent UdpSocket::send_one(Outgoing& out) {
  P2PA_ASSERT(out.transmit.segment_size > 0);
  bool gso_failed = false;
  bool retried = false;
  while (!out.bytes.empty()) {
    const std::size_t size =
        gso_failed ? std::min(out.transmit.segment_size, out.bytes.size()) : chunk_of(out);
    const int error = send_chunk(out, size);
    if (is_full(error)) return Sent::kFull;
    if (is_of_earlier_datagram(error) && !retried) {
      retried = true;
      continue;
    }
    if (may_be_of_source(error) && !out.transmit.local.ip.is_unspecified()) {
      // The system chooses another, and the peer validates the new path (RFC 9000 §9).
      out.transmit.local = {};
      continue;
    }
    if ((error == EINVAL || error == EIO) && size > out.transmit.segment_size) {
      gso_failed = true;
      continue;
    }
    // The same bytes went out one by one: it is GSO that this system or card cannot do. When they
    // do not go out either (too large for the path), GSO is not to blame.
    if (gso_failed && error == 0) gso_ = false;
    out.bytes = out.bytes.subspan(size);
  }
  return Sent::kDone;
}

}  // namespace p2pa::io
