#pragma once
// What is between the two hosts of a road: datagrams and TCP sockets, as a driver has them.

#include <array>
#include <functional>
#include <memory>

#include "transport/transport.hpp"

namespace p2pa::test {

enum class WireKind : std::uint8_t {
  kSmooth,      ///< a pipe: everything arrives, after 10 ms
  kRough,       ///< one that loses and reorders; byte streams come in the most inconvenient pieces
  kWorld,       ///< the world's links and TCP, 10 ms apart
  kRoughWorld,  ///< the same, 50 ms apart with jitter: 3 % is lost, and as much overtaken
};

/// One way, at least.
constexpr Duration delay_of(WireKind kind) {
  return kind == WireKind::kRoughWorld ? milliseconds(50) : milliseconds(10);
}

/// Sides are 0, which dials, and 1, which listens on address(1): one UDP socket each, kUdpSocket, and TCP as the
/// driver port has it, with one listener, kListener.
class Wire {
 public:
  static constexpr SocketId kUdpSocket = 1, kListener = 1;

  virtual ~Wire() = default;
  virtual IpEndpoint address(std::size_t side) const = 0;
  /// From now on nothing of this side arrives anywhere, and nothing arrives at it.
  virtual void silence(std::size_t side) = 0;

  virtual void send(Instant now, std::size_t side, const Transmit& transmit, ByteView bytes) = 0;
  virtual void request(Instant now, std::size_t side, const SocketRequest& request) = 0;
  virtual void write(Instant now, std::size_t side, SocketId socket, ByteView bytes) = 0;

  virtual Instant next() const = 0;
  /// Tells what has come by now, or some of it: then next() is not later than now.
  virtual void advance(Instant now) = 0;

  std::function<void(std::size_t side, const InboundDatagram&)> on_datagram;
  std::function<void(std::size_t side, const SocketEvent&)> on_socket;
};

std::unique_ptr<Wire> make_pipe_wire(bool rough);
std::unique_ptr<Wire> make_world_wire(bool rough, std::uint8_t seed);

}  // namespace p2pa::test
