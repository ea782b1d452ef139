#include "transport/udp/endpoint.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "base/timer_queue.hpp"
#include "transport/mux/connection_table.hpp"
#include "transport/udp/connection.hpp"
#include "transport/udp/farewells.hpp"
#include "transport/udp/shared.hpp"

namespace p2pa::udp {

struct Endpoint::Impl {
  struct Socket {
    IpEndpoint local;
    bool accept = false;
  };
  struct Answer {
    Transmit to;
    Bytes bytes;
  };

  Impl(const KeyPair& key, Rng& rng, resource::Manager& resources, const Config& config)
      : shared(key, rng, resources, config), connections(shared.mux, config.first_id, config.id_step) {}

  void handle_packet(const InboundDatagram& datagram, ByteView packet);
  void handle_initial(const InboundDatagram& datagram, const InitialPacket& initial);
  void ask_for_cookie(const InboundDatagram& datagram, const InitialPacket& initial);
  void handle_data(const InboundDatagram& datagram, ByteView packet);
  void drop(DropCounters::Which reason) { shared.resources.dropped(reason); }
  template <class Packet>
  void hand_over(const Result<Packet>& packet, void (Connection::*on_packet)(const Packet&));
  Connection* find(Cid cid) const;
  bool pop_answer(MutableBytes buffer, Transmit& out);
  void bury_closed();
  void forget_ended();

  Shared shared;
  Farewells farewells;
  std::deque<Answer> answers;
  std::map<SocketId, Socket> sockets;
  mux::ConnectionTable<Connection> connections;
  std::map<std::pair<IpEndpoint, Cid>, ConnectionId> inbound;  // by the INITIAL that they came of
  TimerQueue<ConnectionId> deadlines;
};

Endpoint::Endpoint(const KeyPair& key, Rng& rng, resource::Manager& resources, Config config)
    : impl_(std::make_unique<Impl>(key, rng, resources, config)) {}

Endpoint::~Endpoint() = default;

void Endpoint::add_socket(SocketId socket, const IpEndpoint& local, bool accept) {
  impl_->sockets[socket] = {local, accept};
}

bool Endpoint::has_socket(SocketId socket) const { return impl_->sockets.contains(socket); }

void Endpoint::remove_socket(Instant now, SocketId socket) {
  impl_->shared.now = now;
  impl_->sockets.erase(socket);
  for (const auto& [id, connection] : impl_->connections) connection->lose_socket(socket);
  impl_->bury_closed();
  impl_->farewells.lose_socket(socket);
  std::erase_if(impl_->answers, [&](const Impl::Answer& answer) { return answer.to.socket == socket; });
}

Result<p2pa::Connection*> Endpoint::dial(Instant now, SocketId socket, const DialTarget& target) {
  impl_->shared.now = now;
  const auto known = impl_->sockets.find(socket);
  if (known == impl_->sockets.end()) return fail(Code::kInvalidArgument, "no such socket");
  const auto remote = udp_endpoint(target.address);
  if (!remote || remote->ip.v6 != known->second.local.ip.v6) {
    return fail(Code::kInvalidArgument, "not a p2pa-udp address of the socket's family");
  }
  const Path path{socket, known->second.local, *remote};
  return &impl_->connections.keep(Connection::dial(impl_->shared, impl_->connections.number(), path, target));
}

void Endpoint::handle(Instant now, const InboundDatagram& datagram) {
  impl_->shared.now = now;
  const std::size_t size = datagram.segment_size == 0 ? datagram.bytes.size() : datagram.segment_size;
  for (ByteView rest = datagram.bytes; !rest.empty();) {
    const std::size_t n = std::min(size, rest.size());
    impl_->handle_packet(datagram, rest.first(n));
    rest = rest.subspan(n);
  }
  impl_->bury_closed();
}

Instant Endpoint::next_deadline() const { return std::min(impl_->deadlines.next(), impl_->farewells.next_deadline()); }

void Endpoint::on_deadline(Instant now) {
  impl_->shared.now = now;
  while (const auto due = impl_->deadlines.pop_due(now)) impl_->connections.at(*due).on_deadline();
  impl_->farewells.on_deadline(now);
  impl_->bury_closed();
}

bool Endpoint::poll_event(TransportEvent& out) {
  impl_->forget_ended();
  return impl_->connections.poll_event(out);
}

bool Endpoint::has_events() const { return impl_->connections.has_events(); }

bool Endpoint::poll_transmit(Instant now, MutableBytes buffer, const TransmitLimits& limits, Transmit& out) {
  impl_->shared.now = now;
  impl_->bury_closed();
  if (impl_->pop_answer(buffer, out)) return true;
  while (Connection* connection = impl_->shared.ready.pop()) {
    if (connection->transmit(buffer, limits, out)) {
      impl_->shared.ready.push(*connection);  // behind the others
      return true;
    }
    impl_->deadlines.set(connection->id(), connection->next_deadline());
  }
  return false;
}

std::size_t Endpoint::connections_count() const { return impl_->connections.size(); }

// --- routing

Connection* Endpoint::Impl::find(Cid cid) const {
  const auto it = shared.cids.find(cid);
  return it == shared.cids.end() ? nullptr : it->second;
}

void Endpoint::Impl::handle_packet(const InboundDatagram& datagram, ByteView packet) {
  const auto type = decode_type(packet);
  if (!type) return drop(DropCounters::kMalformed);
  switch (*type) {
    case PacketType::kInitial: {
      const auto initial = decode_initial(packet);
      return initial ? handle_initial(datagram, *initial) : drop(DropCounters::kMalformed);
    }
    case PacketType::kCookie: return hand_over(decode_cookie(packet), &Connection::on_cookie);
    case PacketType::kResponse: return hand_over(decode_response(packet), &Connection::on_response);
    case PacketType::kFinish: return hand_over(decode_finish(packet), &Connection::on_finish);
    case PacketType::kData: return handle_data(datagram, packet);
  }
}

template <class Packet>
void Endpoint::Impl::hand_over(const Result<Packet>& packet, void (Connection::*on_packet)(const Packet&)) {
  if (!packet) return drop(DropCounters::kMalformed);
  Connection* const connection = find(packet->destination);
  connection != nullptr ? (connection->*on_packet)(*packet) : drop(DropCounters::kUnknown);
}

void Endpoint::Impl::handle_data(const InboundDatagram& datagram, ByteView packet) {
  const auto header = decode_data(packet);
  if (!header) return drop(DropCounters::kMalformed);
  if (Connection* const connection = find(header->destination)) return connection->on_data(datagram, packet);
  if (!farewells.handle(header->destination)) drop(DropCounters::kUnknown);
}

void Endpoint::Impl::handle_initial(const InboundDatagram& datagram, const InitialPacket& initial) {
  const auto socket = sockets.find(datagram.socket);
  if (socket == sockets.end() || !socket->second.accept) return drop(DropCounters::kUnexpected);
  if (!shared.cookies.accepts(shared.now, datagram.remote, initial.source, initial.message, initial.cookie)) {
    drop(initial.cookie.empty() ? DropCounters::kAddressUnproven : DropCounters::kProofRefused);
    return ask_for_cookie(datagram, initial);
  }
  const std::pair key(datagram.remote, initial.source);
  if (const auto known = inbound.find(key); known != inbound.end()) {
    return connections.at(known->second).on_initial_again(initial);
  }
  auto reservation = shared.resources.handshake(datagram.remote.ip);
  if (!reservation) return;  // the dialer asks again
  const Path path{datagram.socket, datagram.local, datagram.remote};
  auto connection = Connection::accept(shared, connections.number(), path, initial, std::move(*reservation));
  if (connection == nullptr) return drop(DropCounters::kHandshakeFailed);
  inbound[key] = connection->id();
  connections.keep(std::move(connection));
}

void Endpoint::Impl::ask_for_cookie(const InboundDatagram& datagram, const InitialPacket& initial) {
  Transmit to;
  to.socket = datagram.socket;
  to.local = datagram.local;
  to.remote = datagram.remote;
  const auto cookie = shared.cookies.bake(shared.now, datagram.remote, initial.source, initial.message);
  Answer answer{to, encode(CookiePacket{initial.source, cookie})};
  if (answers.size() < kAnswersMax) return answers.push_back(std::move(answer));
  // Whoever comes first does not hold the places: each has the same chance, and asks again.
  answers[shared.rng.below(kAnswersMax)] = std::move(answer);
  drop(DropCounters::kAnswersFull);
}

bool Endpoint::Impl::pop_answer(MutableBytes buffer, Transmit& out) {
  if (farewells.pop(buffer, out)) return true;
  if (answers.empty()) return false;
  const Answer& answer = answers.front();
  std::ranges::copy(answer.bytes, buffer.begin());
  out = answer.to;
  out.size = out.segment_size = answer.bytes.size();
  answers.pop_front();
  return true;
}

void Endpoint::Impl::bury_closed() {
  for (Farewell& farewell : shared.farewells) {
    deadlines.cancel(farewell.connection);
    const auto came_of = inbound.find({farewell.from, farewell.dialer_cid});
    if (came_of != inbound.end() && came_of->second == farewell.connection) inbound.erase(came_of);
    farewells.add(shared.now, std::move(farewell));
  }
  shared.farewells.clear();
}

void Endpoint::Impl::forget_ended() {
  if (connections.ended() == 0) return;
  bury_closed();  // it may have closed and been reported in one turn
  connections.forget_ended();
}

}  // namespace p2pa::udp
