#include "pair/pipe.hpp"

#include <algorithm>
#include <array>

namespace p2pa::test {
namespace {

std::array<std::uint8_t, 32> seed32(std::uint64_t seed, std::uint8_t purpose) {
  std::array<std::uint8_t, 32> out{};
  for (int i = 0; i < 8; ++i) out[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(seed >> (8 * i));
  out[8] = purpose;
  return out;
}

}  // namespace

Peer::Peer(std::uint8_t seed, IpEndpoint where, Limits limits, quic::Config config)
    : key(KeyPair::from_seed(seed32(seed, 1))),
      rng(seed32(seed, 2)),
      resources(limits),
      endpoint(key, rng, resources, std::move(config)),
      address(where) {
  endpoint.add_socket(socket, address, true);
}

Pipe::Pipe(Link l, std::uint64_t seed) : link(l), rng_(seed32(seed, 3)) {}

quic::Config Pipe::default_config() {
  quic::Config config;
  config.unix_time = 1'700'000'000;
  return config;
}

Peer& Pipe::add(std::uint8_t seed, Limits limits, quic::Config config) {
  IpEndpoint where;
  where.ip.bytes = {192, 0, 2, static_cast<std::uint8_t>(peers.size() + 1)};
  where.port = 4001;
  peers.push_back(std::make_unique<Peer>(seed, where, limits, std::move(config)));
  return *peers.back();
}

Connection* Pipe::dial(Peer& from, const Peer& to, bool early_data) {
  return dial(from, to, to.key.peer_id(), early_data);
}

Connection* Pipe::dial(Peer& from, const Peer& to, const PeerId& expected, bool early_data) {
  const auto connection =
      from.endpoint.dial(now, from.socket, {quic_multiaddr(to.address), expected, early_data});
  if (!connection) return nullptr;
  from.connections.push_back(*connection);
  return *connection;
}

void Pipe::launch(Peer& from, const Transmit& transmit, ByteView batch) {
  from.sent_from.insert(transmit.local);
  for (std::size_t at = 0; at < transmit.size; at += transmit.segment_size) {
    const std::size_t n = std::min(transmit.segment_size, transmit.size - at);
    Bytes bytes(batch.begin() + static_cast<std::ptrdiff_t>(at), batch.begin() + static_cast<std::ptrdiff_t>(at + n));
    ++from.packets_sent;
    from.trace.push_back({now, n});
    if (filter && !filter(from, bytes)) continue;
    if (bytes.size() > link.mtu || (link.loss > 0 && rng_.unit() < link.loss)) continue;
    Duration delay = link.delay;
    if (link.jitter.ns > 0) {
      const auto jitter = rng_.below(static_cast<std::uint64_t>(link.jitter.ns));
      delay = delay + nanoseconds(static_cast<std::int64_t>(jitter));
    }
    const bool marked = mark && transmit.ecn == Ecn::kEct0 && sequence_ % 10 == 0;
    flights_.push_back({now + delay, sequence_++, from.address, transmit.remote, marked ? Ecn::kCe : transmit.ecn,
                        std::move(bytes)});
    std::ranges::push_heap(flights_, std::greater{}, [](const Flight& f) { return std::pair(f.at, f.sequence); });
  }
}

void Pipe::deliver(const Flight& flight) {
  for (auto& peer : peers) {
    if (peer->address != flight.to || peer->silent) continue;
    peer->endpoint.handle(
        now, {peer->socket, peer->address, flight.from, flight.ecn, flight.bytes.size(), flight.bytes});
  }
}

void Pipe::inject(const IpEndpoint& from, Peer& to, ByteView bytes) {
  to.endpoint.handle(now, {to.socket, to.address, from, Ecn::kNone, bytes.size(), bytes});
}

bool Pipe::settle() {
  bool worked = false;
  for (auto& peer : peers) {
    TransportEvent event;
    while (peer->endpoint.poll_event(event)) {
      worked = true;
      peer->handle(now, event);
    }
    Transmit transmit;
    while (peer->endpoint.poll_transmit(now, buffer_, {peer->segments_max}, transmit)) {
      worked = true;
      if (!peer->silent) launch(*peer, transmit, buffer_);
    }
  }
  return worked;
}

bool Pipe::step(Instant limit) {
  Instant next = flights_.empty() ? kNever : flights_.front().at;
  for (auto& peer : peers) next = std::min(next, peer->endpoint.next_deadline());
  if (next > limit) {
    now = limit;
    return false;
  }
  now = std::max(now, next);
  for (auto& peer : peers) {
    if (peer->endpoint.next_deadline() <= now) peer->endpoint.on_deadline(now);
  }
  while (!flights_.empty() && flights_.front().at <= now) {
    std::ranges::pop_heap(flights_, std::greater{}, [](const Flight& f) { return std::pair(f.at, f.sequence); });
    const Flight flight = std::move(flights_.back());
    flights_.pop_back();
    deliver(flight);
  }
  return true;
}

bool Pipe::run_until(const std::function<bool()>& done, Duration limit) {
  const Instant end = now + limit;
  do {
    while (settle()) {
    }
    if (done()) return true;
  } while (step(end));
  return false;
}

void Pipe::run_for(Duration duration) {
  run_until([] { return false; }, duration);
}

}  // namespace p2pa::test
