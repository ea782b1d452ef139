#pragma once
// Two hosts with TCP and nobody on them but the test: what a node would hear and ask for.

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <vector>

#include "sim/tcp_stack.hpp"
#include "sim/trace.hpp"

namespace p2pa::sim {

inline Bytes numbered_bytes(std::size_t size, std::uint32_t seed) {
  Bytes out(size);
  for (std::uint8_t& byte : out) {
    seed = seed * 1664525u + 1013904223u;
    byte = static_cast<std::uint8_t>(seed >> 24);
  }
  return out;
}

/// One end of a connection, as its node knows it.
struct TcpEnd {
  Bytes to_send;
  std::size_t sent = 0;
  bool finishes = false;    ///< after what it sends, and once it has what it expects
  std::size_t expects = 0;  ///< bytes
  bool until_end = false;   ///< and once the peer has ended
  Bytes received;
  bool ended = false, writing = false;
};

/// Node 0 on host a dials, node 1 on host b listens on port 4001.
struct TcpWorld {
  using Kind = SocketEvent::Kind;
  static constexpr SocketId kListener = 1, kDialed = 2;
  static constexpr NodeId kA = 0, kB = 1;
  static constexpr std::size_t kWriteMax = 65'536;

  struct Heard {
    Instant at;
    NodeId node;
    SocketEvent event;
  };
  std::uint8_t seed[32] = {1};
  EventQueue events;
  Stats stats;
  Network network{seed, events, stats};
  TcpStack tcp{network, events, stats};
  Instant now{0};
  HostId a = network.add_host(), b = network.add_host();
  IpEndpoint at_b{network.addresses(b)[0], 4001, 0};
  std::vector<Heard> heard;
  std::map<std::pair<NodeId, SocketId>, TcpEnd> ends;
  TcpEnd next_accepted;  ///< what an accepted socket begins as
  SocketId accepted = 0;
  Trace trace;

  explicit TcpWorld(const LinkOptions& link = {.delay = milliseconds(20)}) {
    network.default_link() = link;
    tcp.start(a, kA);
    tcp.start(b, kB);
    REQUIRE(tcp.listen(b, kB, kListener, any(4001)));
  }

  static IpEndpoint any(std::uint16_t port) {
    IpEndpoint out;
    out.port = port;
    return out;
  }

  void dial(TcpEnd end = {}, SocketId socket = kDialed) {
    ends[{kA, socket}] = std::move(end);
    tcp.connect(now, a, kA, socket, at_b);
  }
  TcpEnd& dialed() { return ends[{kA, kDialed}]; }
  TcpEnd& answered() { return ends[{kB, accepted}]; }
  /// A connection, both of whose ends stay open.
  void connect() {
    dial();
    run(seconds(1));
    REQUIRE(accepted != 0);
  }

  /// Writes what there is to write, and finishes when that is done.
  void go_on(NodeId node, SocketId socket) {
    TcpEnd& end = ends[{node, socket}];
    if (end.writing) return;
    if (end.sent < end.to_send.size()) {
      const std::size_t size = std::min(kWriteMax, end.to_send.size() - end.sent);
      end.writing = true;
      tcp.write(now, node, socket, ByteView(end.to_send).subspan(end.sent, size));
      end.sent += size;
    } else if (end.finishes && end.received.size() >= end.expects &&
               (end.ended || !end.until_end)) {
      end.finishes = false;
      tcp.finish(now, node, socket);
    }
  }

  void hear(NodeId node, const SocketEvent& event) {
    heard.push_back({now, node, event});
    heard.back().event.bytes = {};
    trace.add(static_cast<std::uint64_t>(event.kind) << 32 | event.socket);
    if (event.kind == Kind::kAccepted) {
      accepted = event.socket;
      ends[{node, event.socket}] = next_accepted;
    }
    TcpEnd& end = ends[{node, event.socket}];
    end.received.insert(end.received.end(), event.bytes.begin(), event.bytes.end());
    if (event.kind == Kind::kWritten) end.writing = false;
    if (event.kind == Kind::kEnd) end.ended = true;
    if (event.kind != Kind::kLost) go_on(node, event.socket);
  }

  /// The next event. False: none until `limit`.
  bool step(Instant limit) {
    const Instant next = std::min(events.next(), tcp.next_deadline());
    if (next > limit || next == kNever) return false;
    if (next < now) FAIL("time went back");
    now = next;
    if (events.next() > tcp.next_deadline()) {
      tcp.on_deadline(now);
      return true;
    }
    const Event event = events.pop();
    if (event.kind == Event::Kind::kSegment) {
      const TcpPacket packet = tcp.take(event.slot);
      trace.add(static_cast<std::uint64_t>(now.ns));
      trace.add(packet.segment.sequence);
      trace.add(packet.segment.bytes);
      tcp.on_segment(now, packet);
    } else {
      NodeId node = 0;
      SocketEvent said{};
      while (tcp.poll_event(node, said)) hear(node, said);
    }
    return true;
  }
  void run(Duration time) {
    const Instant end = now + time;
    while (step(end)) {
    }
    now = end;
  }

  std::size_t count(NodeId node, Kind kind) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        heard, [&](const Heard& h) { return h.node == node && h.event.kind == kind; }));
  }
  const Heard& first(NodeId node, Kind kind) const {
    const auto it = std::ranges::find_if(
        heard, [&](const Heard& h) { return h.node == node && h.event.kind == kind; });
    REQUIRE(it != heard.end());
    return *it;
  }
};

}  // namespace p2pa::sim
