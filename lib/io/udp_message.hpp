#pragma once
// Inside of UdpSocket: one outgoing message as the system wants it.

#include "io/socket_address.hpp"
#include "io/udp_control.hpp"
#include "io/udp_socket.hpp"

namespace p2pa::io {

struct UdpSocket::Message {
  SocketAddress to;
  iovec bytes;
  SendControl control;
};

}  // namespace p2pa::io
