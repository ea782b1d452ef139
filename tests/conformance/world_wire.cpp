// The network of a world without its nodes: links that lose, delay and reorder, and TCP over them.

#include <catch2/catch.hpp>

#include "conformance/wire.hpp"
#include "sim/network.hpp"
#include "sim/tcp_stack.hpp"

namespace p2pa::test {
namespace {

sim::LinkOptions link(bool rough) {
  sim::LinkOptions out;
  out.delay = delay_of(rough ? WireKind::kRoughWorld : WireKind::kWorld);
  if (!rough) return out;
  out.jitter = milliseconds(5);
  out.loss = out.reorder = 0.03;
  out.reorder_delay = milliseconds(10);
  return out;
}

class WorldWire final : public Wire {
 public:
  WorldWire(bool rough, std::uint8_t seed) : seed_{seed} {
    network_.default_link() = link(rough);
    for (const std::size_t side : {0u, 1u}) {
      hosts_[side] = network_.add_host();
      tcp_.start(hosts_[side], node(side));
      REQUIRE(network_.bind(hosts_[side], node(side), kUdpSocket, anywhere()));
    }
    REQUIRE(tcp_.listen(hosts_[1], node(1), kListener, anywhere()));
  }

  IpEndpoint address(std::size_t side) const override {
    IpEndpoint out = anywhere();
    out.ip = network_.addresses(hosts_[side]).front();
    return out;
  }
  void silence(std::size_t) override {
    network_.link(hosts_[0], hosts_[1]).cut = network_.link(hosts_[1], hosts_[0]).cut = true;
  }

  void send(Instant now, std::size_t side, const Transmit& transmit, ByteView bytes) override {
    network_.send(now, hosts_[side], node(side), transmit, bytes);
  }
  void request(Instant now, std::size_t side, const SocketRequest& request) override {
    switch (request.kind) {
      case SocketRequest::Kind::kConnect:
        return tcp_.connect(now, hosts_[side], node(side), request.socket, request.remote);
      case SocketRequest::Kind::kFinish: return tcp_.finish(now, node(side), request.socket);
      case SocketRequest::Kind::kAbort: return tcp_.reset(now, node(side), request.socket);
    }
  }
  void write(Instant now, std::size_t side, SocketId socket, ByteView bytes) override {
    tcp_.write(now, node(side), socket, bytes);
  }

  Instant next() const override { return std::min(events_.next(), tcp_.next_deadline()); }

  /// One thing at a time, as the world itself does it.
  void advance(Instant now) override {
    if (next() > now) return;
    if (events_.next() > tcp_.next_deadline()) return tcp_.on_deadline(now);
    const sim::Event event = events_.pop();
    if (event.kind == sim::Event::Kind::kSegment) {
      tcp_.on_segment(now, tcp_.take(event.slot));
    } else if (event.kind == sim::Event::Kind::kArrival) {
      if (const auto delivery = network_.deliver(event.slot)) on_datagram(delivery->node, delivery->datagram);
      network_.done(event.slot);
    } else {
      sim::NodeId node = 0;
      SocketEvent heard{};
      while (tcp_.poll_event(node, heard)) on_socket(node, heard);
    }
  }

 private:
  static sim::NodeId node(std::size_t side) { return static_cast<sim::NodeId>(side); }
  static IpEndpoint anywhere() {
    IpEndpoint out;
    out.port = 4001;
    return out;
  }

  const std::array<std::uint8_t, 32> seed_;
  sim::EventQueue events_;
  sim::Stats stats_;
  sim::Network network_{seed_, events_, stats_};
  sim::TcpStack tcp_{network_, events_, stats_};
  std::array<sim::HostId, 2> hosts_{};
};

}  // namespace

std::unique_ptr<Wire> make_world_wire(bool rough, std::uint8_t seed) {
  return std::make_unique<WorldWire>(rough, seed);
}

}  // namespace p2pa::test
