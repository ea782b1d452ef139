#include "transport/quic/endpoint.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/timer_queue.hpp"
#include "transport/mux/connection_table.hpp"
#include "transport/quic/connection.hpp"
#include "transport/quic/lingering.hpp"
#include "transport/quic/shared.hpp"
#include "transport/quic/stateless.hpp"

namespace p2pa::quic {

struct Endpoint::Impl {
  struct Socket {
    IpEndpoint local;
    bool accept = false;
  };

  Impl(const KeyPair& key, Rng& rng, resource::Manager& resources, Config config)
      : shared(key, rng, resources, std::move(config)),
        stateless(shared),
        lingering(shared.outbox),
        connections(shared.mux, shared.config.first_id, shared.config.id_step) {}

  void handle_packet(const InboundDatagram& datagram, ByteView packet);
  void handle_unrouted(const InboundDatagram& datagram, ByteView packet, const ngtcp2_version_cid& header);
  void accept(const InboundDatagram& datagram, ByteView packet);
  bool must_prove(const IpAddress& from);
  void drop(DropCounters::Which reason) { shared.resources.dropped(reason); }
  /// What was answered without a connection; not what has no socket any more.
  bool pop_answer(MutableBytes buffer, Transmit& out);
  void bury_closed();
  void forget_ended();

  Shared shared;
  Stateless stateless;
  Lingering lingering;
  std::unordered_map<SocketId, Socket> sockets;
  mux::ConnectionTable<Connection> connections;
  TimerQueue<ConnectionId> deadlines;
  std::int64_t useless_second = 0;
  std::uint32_t useless_firsts = 0;  // in that second
};

Endpoint::Endpoint(const KeyPair& key, Rng& rng, resource::Manager& resources, Config config)
    : impl_(std::make_unique<Impl>(key, rng, resources, std::move(config))) {}

Endpoint::~Endpoint() = default;

void Endpoint::add_socket(SocketId socket, const IpEndpoint& local, bool accept) {
  impl_->sockets[socket] = {local, accept};
}

void Endpoint::remove_socket(Instant now, SocketId socket) {
  impl_->shared.set_now(now);
  impl_->sockets.erase(socket);
  for (const auto& [id, connection] : impl_->connections) connection->lose_socket(socket);
}

Result<p2pa::Connection*> Endpoint::dial(Instant now, SocketId socket, const DialTarget& target) {
  impl_->shared.set_now(now);
  const auto known = impl_->sockets.find(socket);
  if (known == impl_->sockets.end()) return fail(Code::kInvalidArgument, "no such socket");
  const auto remote = quic_endpoint(target.address);
  if (!remote || remote->ip.v6 != known->second.local.ip.v6) {
    return fail(Code::kInvalidArgument, "not a quic-v1 address of the socket's family");
  }
  auto connection =
      Connection::dial(impl_->shared, impl_->connections.number(), socket, known->second.local, *remote, target);
  if (!connection) return std::unexpected(connection.error());
  return &impl_->connections.keep(std::move(*connection));
}

void Endpoint::handle(Instant now, const InboundDatagram& datagram) {
  impl_->shared.set_now(now);
  const std::size_t size = datagram.segment_size == 0 ? datagram.bytes.size() : datagram.segment_size;
  for (ByteView rest = datagram.bytes; !rest.empty();) {
    const std::size_t n = std::min(size, rest.size());
    impl_->handle_packet(datagram, rest.first(n));
    rest = rest.subspan(n);
  }
  impl_->bury_closed();
}

Instant Endpoint::next_deadline() const {
  return std::min(impl_->deadlines.next(), impl_->lingering.next_deadline());
}

void Endpoint::on_deadline(Instant now) {
  impl_->shared.set_now(now);
  while (const auto due = impl_->deadlines.pop_due(now)) impl_->connections.at(*due).on_deadline();
  impl_->lingering.expire(now);
  impl_->bury_closed();
}

bool Endpoint::poll_event(TransportEvent& out) {
  impl_->forget_ended();
  return impl_->connections.poll_event(out);
}

bool Endpoint::has_events() const { return impl_->connections.has_events(); }

bool Endpoint::poll_transmit(Instant now, MutableBytes buffer, const TransmitLimits& limits, Transmit& out) {
  impl_->shared.set_now(now);
  impl_->bury_closed();
  if (impl_->pop_answer(buffer, out)) return true;
  while (Connection* connection = impl_->shared.ready.pop()) {
    const bool sent = connection->transmit(buffer, limits, out);
    if (sent) {
      if (connection->state() != ConnectionState::kClosed) impl_->shared.ready.push(*connection);  // behind the others
      return true;
    }
    impl_->deadlines.set(connection->id(), connection->next_deadline());
    impl_->bury_closed();
    if (impl_->pop_answer(buffer, out)) return true;
  }
  return false;
}

p2pa::Connection* Endpoint::find(ConnectionId id) {
  return impl_->connections.find(id);
}

std::size_t Endpoint::connections_count() const { return impl_->connections.size(); }

// --- routing

void Endpoint::Impl::handle_packet(const InboundDatagram& datagram, ByteView packet) {
  ngtcp2_version_cid header;
  const int rv = ngtcp2_pkt_decode_version_cid(&header, packet.data(), packet.size(), kOwnCidSize);
  if (rv == NGTCP2_ERR_VERSION_NEGOTIATION) {
    const auto socket = sockets.find(datagram.socket);
    drop(DropCounters::kMalformed);
    if (socket != sockets.end() && socket->second.accept) stateless.negotiate_version(datagram, header);
    return;
  }
  if (rv != 0 || header.dcidlen > Cid::kSizeMax) return drop(DropCounters::kMalformed);
  const Cid cid({header.dcid, header.dcidlen});
  if (Connection* connection = shared.cids.find(cid)) return connection->receive(datagram, packet);
  if (!lingering.handle(cid, datagram)) handle_unrouted(datagram, packet, header);
}

void Endpoint::Impl::handle_unrouted(const InboundDatagram& datagram, ByteView packet,
                                     const ngtcp2_version_cid& header) {
  constexpr std::uint8_t kLongHeader = 0x80;
  if ((packet[0] & kLongHeader) == 0) {
    // RFC 9000 §10.3.1: it may say that the peer forgot one of ours; then its id is noise.
    constexpr std::size_t kTokenSize = NGTCP2_STATELESS_RESET_TOKENLEN;
    if (packet.size() >= kTokenSize) {
      Connection* forgotten = shared.reset_tokens.find(Cid(packet.last(kTokenSize)));
      if (forgotten != nullptr) return forgotten->receive(datagram, packet);
    }
    drop(DropCounters::kUnknown);
    return stateless.reset(datagram, Cid({header.dcid, header.dcidlen}), packet.size());
  }
  header.version != 0 ? accept(datagram, packet) : drop(DropCounters::kUnknown);
}

void Endpoint::Impl::accept(const InboundDatagram& datagram, ByteView packet) {
  const auto socket = sockets.find(datagram.socket);
  if (socket == sockets.end() || !socket->second.accept) return drop(DropCounters::kUnexpected);
  ngtcp2_pkt_hd first;
  if (ngtcp2_accept(&first, packet.data(), packet.size()) != 0) return drop(DropCounters::kUnknown);
  // A token that is not, or no longer, ours is as good as none: the peer may have it from elsewhere.
  const std::optional<Cid> retried = stateless.check_token(datagram, first);
  if (!retried && !compat::token_of(first).empty()) drop(DropCounters::kProofRefused);
  if (!retried && must_prove(datagram.remote.ip)) {
    drop(DropCounters::kAddressUnproven);
    return stateless.retry(datagram, first);
  }
  auto reservation = shared.resources.handshake(datagram.remote.ip);
  if (!reservation) return stateless.refuse(datagram, first, NGTCP2_CONNECTION_REFUSED);
  auto connection = Connection::accept(shared, connections.number(), datagram, first, retried ? &*retried : nullptr,
                                       std::move(*reservation));
  if (!connection) return;
  Connection& begun = connections.keep(std::move(*connection));
  begun.receive(datagram, packet);
  if (begun.state() == ConnectionState::kClosed) ++useless_firsts;
}

bool Endpoint::Impl::must_prove(const IpAddress& from) {
  const std::int64_t second = shared.now.ns / 1'000'000'000;
  if (second != std::exchange(useless_second, second)) useless_firsts = 0;
  return useless_firsts >= kUselessFirstsMax || shared.resources.under_load(from);
}

bool Endpoint::Impl::pop_answer(MutableBytes buffer, Transmit& out) {
  while (shared.outbox.pop(buffer, out)) {
    if (sockets.contains(out.socket)) return true;
  }
  return false;
}

void Endpoint::Impl::bury_closed() {
  for (Farewell& farewell : shared.farewells) {
    deadlines.cancel(farewell.connection);
    lingering.add(shared.now, std::move(farewell));
  }
  shared.farewells.clear();
}

void Endpoint::Impl::forget_ended() {
  if (connections.ended() == 0) return;
  bury_closed();  // it may have closed and been reported in one turn
  connections.forget_ended();
}

}  // namespace p2pa::quic
