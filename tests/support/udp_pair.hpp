#pragma once
// Two UDP endpoints and the road between them, in virtual time.

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "crypto/rng.hpp"
#include "support/transport_end.hpp"
#include "transport/udp/connection.hpp"
#include "transport/udp/endpoint.hpp"

namespace p2pa::test {

inline Bytes udp_seed(std::uint8_t n) {
  Bytes seed(32);
  seed[0] = n;
  return seed;
}

struct UdpSide {
  UdpSide(std::uint8_t n, const udp::Config& config, const Limits& limits)
      : key(KeyPair::from_seed(udp_seed(n))),
        rng(udp_seed(static_cast<std::uint8_t>(n + 100))),
        resources(limits),
        endpoint(key, rng, resources, config) {
    where.ip.bytes = {192, 0, 2, n};
    where.port = 4001;
    endpoint.add_socket(1, where, true);
  }

  KeyPair key;
  Rng rng;
  resource::Manager resources;
  udp::Endpoint endpoint;
  IpEndpoint where;  ///< as the other side sees it
  TransportEnd told;
  std::vector<std::pair<std::uint64_t, std::string>> messages;  ///< kMessage: code and bytes
  std::size_t datagrams_sent = 0, bytes_sent = 0, bytes_received = 0;
};

struct UdpPair {
  struct Flight {
    Instant at;
    std::size_t to;
    IpEndpoint from, target;
    Bytes bytes;
  };

  explicit UdpPair(const udp::Config& config = {}, const Limits& limits = {})
      : a(1, config, limits), b(2, config, limits) {
    for (UdpSide* side : {&a, &b}) {
      side->told.on_event = [side](Instant, const TransportEvent& e) {
        if (e.event.kind != ConnectionEvent::Kind::kMessage) return;
        side->messages.emplace_back(e.event.code, as_text(e.event.datagram));
      };
    }
  }

  UdpSide& side(std::size_t i) { return i == 0 ? a : b; }

  void dial(const PeerId& whom) {
    const DialTarget target{udp_multiaddr(b.where), whom, true};
    a.told.connections.push_back(a.endpoint.dial(now, 1, target).value());
  }
  udp::Connection& connect() {
    dial(b.key.peer_id());
    run_until([this] { return up(); });
    return ours();
  }
  bool up() const {
    const Connection* c = a.told.connection();
    const Connection* d = b.told.connection();
    return c != nullptr && c->established() && d != nullptr && d->established();
  }
  udp::Connection& ours() { return static_cast<udp::Connection&>(*a.told.connection()); }
  udp::Connection& theirs() { return static_cast<udp::Connection&>(*b.told.connection()); }

  bool settle() {
    bool worked = false;
    for (std::size_t i = 0; i < 2; ++i) {
      TransportEvent event;
      while (side(i).endpoint.poll_event(event)) {
        worked = true;
        side(i).told.handle(now, event);
      }
      Transmit transmit;
      while (side(i).endpoint.poll_transmit(now, buffer, {segments}, transmit)) {
        worked = true;
        for (std::size_t at = 0; at < transmit.size; at += transmit.segment_size) {
          launch(i, transmit.remote, ByteView(buffer).subspan(at, std::min(transmit.segment_size, transmit.size - at)));
        }
      }
    }
    return worked;
  }
  void launch(std::size_t from, const IpEndpoint& target, ByteView bytes) {
    ++side(from).datagrams_sent;
    side(from).bytes_sent += bytes.size();
    Flight flight{now + delay, 1 - from, side(from).where, target, Bytes(bytes.begin(), bytes.end())};
    if (bytes_per_second > 0) {  // a queue in front of a narrow place
      Instant& free = free_at[from];
      if (free > now + queue) return;
      free = std::max(free, now) + Duration{static_cast<std::int64_t>(bytes.size() * 1'000'000'000 / bytes_per_second)};
      flight.at = free + delay;
    }
    if (filter && !filter(flight)) return;
    flights.push_back(std::move(flight));
  }
  void arrive(const Flight& flight) {
    UdpSide& to = side(flight.to);
    if (flight.target != to.where) return;
    to.bytes_received += flight.bytes.size();
    to.endpoint.handle(now, {1, to.where, flight.from, Ecn::kNone, flight.bytes.size(), flight.bytes});
  }

  bool run_until(const std::function<bool()>& done, Duration limit = seconds(60)) {
    const Instant end = now + limit;
    for (;;) {
      while (settle()) {
      }
      if (done()) return true;
      Instant at = std::min(a.endpoint.next_deadline(), b.endpoint.next_deadline());
      for (const Flight& flight : flights) at = std::min(at, flight.at);
      if (at > end) break;
      now = std::max(now, at);
      for (UdpSide* one : {&a, &b}) {
        if (one->endpoint.next_deadline() <= now) one->endpoint.on_deadline(now);
      }
      std::vector<Flight> due;
      std::erase_if(flights, [&](Flight& flight) {
        if (flight.at > now) return false;
        due.push_back(std::move(flight));
        return true;
      });
      for (const Flight& flight : due) arrive(flight);
    }
    now = end;
    return false;
  }
  void run_for(Duration duration) {
    run_until([] { return false; }, duration);
  }

  Instant now{1'000'000'000};
  Duration delay = milliseconds(10);
  std::size_t segments = 10;
  std::uint64_t bytes_per_second = 0;      ///< of each direction; 0: any number
  Duration queue = milliseconds(50);       ///< that the narrow place holds
  std::function<bool(Flight&)> filter;     ///< may change what flies; false: lost
  UdpSide a, b;
  std::array<Instant, 2> free_at{};
  std::vector<Flight> flights;
  Bytes buffer = Bytes(65'536);
};

}  // namespace p2pa::test
