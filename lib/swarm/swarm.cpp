#include "swarm/swarm.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace p2pa::swarm {
namespace {

constexpr std::size_t kNegotiatingSlack = 1024;

constexpr Error kNodeClosed{Code::kClosed, 0, "the node is closing"};
constexpr Error kGivenUp{Code::kCancelled, 0, "the peer was disconnected meanwhile"};
constexpr Error kTooManyWait{Code::kLimitStreams, kWaitingOpensMax, "too many streams wait for this peer"};

constexpr Error kSelf{Code::kInvalidArgument, 0, "a node does not dial itself"};
constexpr Error kBadProtocol{Code::kInvalidArgument, 0, "a protocol id has 1 to 1,022 bytes, none of control"};

bool valid_protocol(std::string_view id) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return !id.empty() && id.size() + 2 <= multistream::kMessageBytesMax && std::ranges::none_of(id, control);
}

/// What a stream is told when its connection goes.
Error stream_error(const Error& connection_error) {
  if (connection_error.code != Code::kOk) return connection_error;
  return {Code::kClosed, 0, "the connection was closed on this side"};
}

}  // namespace

Swarm::Swarm(const PeerId& self, std::vector<Transport*> transports, resource::Manager& resources,
             peerstore::Peerstore& peers, Observer& observer)
    : self_(self),
      transports_(std::move(transports)),
      resources_(resources),
      store_(peers),
      observer_(observer),
      known_([this](std::string_view protocol) { return services_.contains(protocol); }) {}

Result<void> Swarm::serve(std::string protocol, StreamHandler& handler, bool replay_safe) {
  if (!valid_protocol(protocol)) return std::unexpected(kBadProtocol);
  if (!services_.try_emplace(std::move(protocol), Service{&handler, replay_safe}).second) {
    return fail(Code::kInvalidState, "the protocol is served already");
  }
  return {};
}

std::vector<std::string> Swarm::protocols() const {
  std::vector<std::string> out;
  for (const auto& [id, service] : services_) out.push_back(id);
  return out;
}

// --- dialing

void Swarm::dial(const PeerId& peer, DialDone done) {
  dial_requests_.push_back({peer, {}, std::move(done)});
}

void Swarm::dial(const Multiaddr& address, DialDone done) {
  dial_requests_.push_back({address.peer_id().value_or(PeerId{}), address, std::move(done)});
}

void Swarm::process_dials(Instant now) {
  for (const std::uint64_t id : std::exchange(dials_given_up_, {})) {
    if (dials_.contains(id)) finish_dial(now, id, std::unexpected(kGivenUp));
  }
  std::swap(dial_requests_, dial_requests_taken_);
  for (DialRequest& request : dial_requests_taken_) process_dial(now, std::move(request));
  dial_requests_taken_.clear();
}

void Swarm::process_dial(Instant now, DialRequest request) {
  if (closing_) return request.done(now, std::unexpected(kNodeClosed));
  if (request.given_up) return request.done(now, std::unexpected(kGivenUp));
  if (request.peer == self_) return request.done(now, std::unexpected(kSelf));
  if (!request.peer.empty()) {
    if (!request.address.empty()) {
      store_.add_address(request.peer, request.address, peerstore::Peerstore::Source::kHost);
    }
    if (Connection* existing = best_connection(request.peer)) return request.done(now, existing);
  }
  const auto known = peers_.find(request.peer);
  std::uint64_t id = known == peers_.end() ? 0 : known->second.dial;
  if (request.peer.empty()) {
    id = start_dial(now, request.peer, {request.address});
  } else if (id == 0) {
    id = start_dial(now, request.peer, store_.addresses(request.peer));
  }
  PendingDial& dial = dials_.at(id);
  if (dial.waiters.size() >= kDialWaitersMax) {
    return request.done(now, fail(Code::kRateLimited, "too many wait for one dial", kDialWaitersMax));
  }
  dial.waiters.push_back(std::move(request.done));
  // A dial that was under way began without it.
  if (!request.address.empty()) dial.machine.add(request.address.without_peer_id(), now);
  advance_dial(now, id);
}

std::uint64_t Swarm::start_dial(Instant now, const PeerId& peer, std::vector<Multiaddr> addresses) {
  const std::uint64_t id = next_dial_++;
  Dial machine(std::move(addresses), now);
  if (const auto last = store_.worked_last(peer)) machine.add(*last, now);
  dials_.emplace(id, PendingDial{std::move(machine), peer, {}, {}});
  if (!peer.empty()) peers_[peer].dial = id;
  return id;
}

void Swarm::advance_dial(Instant now, std::uint64_t id) {
  for (;;) {
    const auto it = dials_.find(id);
    if (it == dials_.end()) return;
    Dial& machine = it->second.machine;
    if (machine.exhausted()) return finish_dial(now, id, std::unexpected(machine.error()));
    const Multiaddr* address = machine.candidate(now);
    if (address == nullptr) return;
    const auto connection = start_attempt(now, {address->without_peer_id(), it->second.peer, true});
    if (!connection && connection.error().code == Code::kWouldBlock) return;  // sockets_changed() follows
    if (!connection) {
      dial_failed_to_start(now, it->second, connection.error());
      continue;
    }
    machine.started(now);
    const ConnectionId cid = (*connection)->id();
    it->second.attempts.push_back(cid);
    attempts_.emplace(cid, Attempt{id, *connection, {}});
  }
}

Result<Connection*> Swarm::start_attempt(Instant now, const DialTarget& target) {
  for (Transport* transport : transports_) {
    if (transport->dials(target.address)) return transport->dial(now, target);
  }
  return fail(Code::kUnsupported, "no transport for this address");
}

void Swarm::dial_failed_to_start(Instant now, PendingDial& dial, const Error& why) {
  observer_.on_dial_failed(dial.peer, *dial.machine.candidate(now), why);
  dial.machine.failed_to_start(now, why);
}

void Swarm::finish_dial(Instant now, std::uint64_t id, Result<Connection*> result) {
  const auto it = dials_.find(id);
  PendingDial dial = std::move(it->second);
  dials_.erase(it);
  for (const ConnectionId attempt : dial.attempts) {
    const auto a = attempts_.find(attempt);
    if (a == attempts_.end()) continue;
    a->second.dial = 0;
    // An address that was added later may have won; what has begun on this one goes on.
    if (a->second.streams.count > 0 && (result || closing_)) continue;
    a->second.connection->close(result ? wire_code::kConnSupplanted : wire_code::kNone,
                                result ? "another address was faster" : "the dial was given up");
  }
  const auto peer = peers_.find(dial.peer);
  if (peer != peers_.end() && peer->second.dial == id) peer->second.dial = 0;
  for (DialDone& done : dial.waiters) done(now, result);
  if (!result) fail_waiting(now, dial.peer, result.error());
  forget_if_idle(dial.peer);
}

void Swarm::sockets_changed(Instant now) {
  std::vector<std::uint64_t> ids;
  for (const auto& [id, dial] : dials_) ids.push_back(id);
  for (const std::uint64_t id : ids) advance_dial(now, id);
}

Instant Swarm::next_deadline() const {
  Instant next = kNever;
  for (const auto& [id, dial] : dials_) next = std::min(next, dial.machine.next_deadline());
  if (!negotiating_.empty()) next = std::min(next, negotiating_.front().deadline);
  return next;
}

void Swarm::on_deadline(Instant now) {
  sockets_changed(now);
  while (!negotiating_.empty() && negotiating_.front().deadline <= now) {
    const Negotiating late = negotiating_.front();
    negotiating_.pop_front();
    if (late.over()) continue;
    late.slot->stream->reset(wire_code::kStreamNegotiationFailed);
    end_stream(now, *late.slot, {Code::kNegotiation, 0, "no protocol was agreed in time"});
  }
}

// --- opening streams

void Swarm::open_stream(const PeerId& peer, std::string_view protocol, StreamHandler& handler,
                        std::uint64_t tag, OpenStreamOptions options) {
  opens_.push_back({std::string(protocol), &handler, tag, options, peer});
}

void Swarm::process_opens(Instant now) {
  std::swap(opens_, opens_taken_);
  for (OpenRequest& request : opens_taken_) process_open(now, std::move(request));
  opens_taken_.clear();
}

void Swarm::process_open(Instant now, OpenRequest request) {
  if (closing_) return request.handler->on_stream_failed(now, request.tag, kNodeClosed);
  if (request.given_up) return request.handler->on_stream_failed(now, request.tag, kGivenUp);
  if (!valid_protocol(request.protocol)) return request.handler->on_stream_failed(now, request.tag, kBadProtocol);
  if (request.options.connection != 0) return open_bound(now, std::move(request));
  const auto peer = peers_.find(request.peer);
  if (peer != peers_.end() && peer->second.waiting.size() >= kWaitingOpensMax) {
    return request.handler->on_stream_failed(now, request.tag, kTooManyWait);
  }
  if (best_connection(request.peer) != nullptr) return open_unbound(now, peer->second, std::move(request));
  if (request.options.may_dial) return open_by_dialing(now, std::move(request));
  request.handler->on_stream_failed(now, request.tag, {Code::kNotFound, 0, "not connected to the peer"});
}

void Swarm::open_bound(Instant now, OpenRequest request) {
  const ConnectionId id = request.options.connection;
  const Connection* connection = find(id);
  if (connection == nullptr || connection->peer() != request.peer) {
    return request.handler->on_stream_failed(now, request.tag, {Code::kClosed, id, "the connection is gone"});
  }
  Live& live = live_.at(id);
  if (live.waiting.size() >= kWaitingOpensMax) {
    return request.handler->on_stream_failed(now, request.tag, kTooManyWait);
  }
  // First come, first served while the peer gives no credit.
  if (!live.waiting.empty() || !open_on(now, *live.connection, live.streams, request)) {
    live.waiting.push_back(std::move(request));
  }
}

void Swarm::open_unbound(Instant now, Peer& peer, OpenRequest request) {
  if (!peer.waiting.empty() || !open_on_any(now, peer, request)) peer.waiting.push_back(std::move(request));
}

void Swarm::open_by_dialing(Instant now, OpenRequest request) {
  const PeerId name = request.peer;
  if (name == self_) return request.handler->on_stream_failed(now, request.tag, kSelf);
  if (peers_[name].dial == 0) {
    const std::uint64_t id = start_dial(now, name, store_.addresses(name));
    peers_[name].waiting.push_back(std::move(request));
    advance_dial(now, id);
    const auto it = peers_.find(name);  // a dial that failed at once has answered already
    if (it == peers_.end() || it->second.waiting.empty()) return;
    request = std::move(it->second.waiting.back());
    it->second.waiting.pop_back();
  }
  Peer& peer = peers_.at(name);
  // Early data goes down with its attempt, so it waits while another address may win.
  if (request.options.replay_safe && peer.dial != 0 && dials_.at(peer.dial).machine.down_to_one()) {
    for (const ConnectionId id : dials_.at(peer.dial).attempts) {
      const auto attempt = attempts_.find(id);
      if (attempt == attempts_.end() || !attempt->second.connection->early_data_possible()) continue;
      if (open_on(now, *attempt->second.connection, attempt->second.streams, request)) return;
    }
  }
  peer.waiting.push_back(std::move(request));
}

bool Swarm::open_on_any(Instant now, const Peer& peer, OpenRequest& request) {
  return std::ranges::any_of(peer.connections, [&](ConnectionId id) {
    Live& live = live_.at(id);
    return live.connection->established() && open_on(now, *live.connection, live.streams, request);
  });
}

bool Swarm::open_on(Instant now, Connection& connection, StreamList& streams, OpenRequest& request) {
  if (request.given_up) {
    request.handler->on_stream_failed(now, request.tag, kGivenUp);
    return true;
  }
  auto reservation = resources_.stream(request.peer);
  if (!reservation) {
    request.handler->on_stream_failed(now, request.tag, reservation.error());
    return true;
  }
  const auto id = connection.open_stream(request.options.replay_safe);
  if (!id) {
    if (id.error().code == Code::kLimitStreams) return false;
    request.handler->on_stream_failed(now, request.tag, id.error());
    return true;
  }
  StreamSlot& slot = pool_.acquire(streams, connection, *id, std::move(*reservation));
  connection.set_context(*id, &slot);
  Stream& stream = *slot.stream;
  stream.set_handler(request.handler);
  stream.set_tag(request.tag);
  if (const auto proposed = stream.propose(request.protocol, reply_); !proposed) {
    connection.set_context(*id, nullptr);
    stream.reset(wire_code::kStreamNegotiationFailed);
    pool_.release(streams, slot);
    request.handler->on_stream_failed(now, request.tag, proposed.error());
    return true;
  }
  request.handler->on_stream_open(now, stream);
  return true;
}

void Swarm::fail_all(Instant now, std::deque<OpenRequest> requests, const Error& why) {
  for (OpenRequest& request : requests) request.handler->on_stream_failed(now, request.tag, why);
}

void Swarm::fail_waiting(Instant now, const PeerId& peer, const Error& why) {
  const auto it = peers_.find(peer);
  if (it == peers_.end() || it->second.dial != 0 || !it->second.connections.empty()) return;
  fail_all(now, std::exchange(it->second.waiting, {}), why);
}

void Swarm::release_waiting(Instant now, const PeerId& name) {
  const auto it = peers_.find(name);
  if (it == peers_.end()) return;
  Peer& peer = it->second;
  // What can go over one connection only is tried first: the rest may take any.
  for (const ConnectionId id : peer.connections) {
    Live& live = live_.at(id);
    auto& waiting = live.waiting;
    if (!live.connection->established()) continue;  // its end will answer them
    while (!waiting.empty() && open_on(now, *live.connection, live.streams, waiting.front())) waiting.pop_front();
  }
  while (!peer.waiting.empty() && open_on_any(now, peer, peer.waiting.front())) peer.waiting.pop_front();
}

// --- what happened

bool Swarm::turn(Instant now) {
  if (!dial_requests_.empty() || !dials_given_up_.empty()) process_dials(now);
  if (!opens_.empty()) process_opens(now);
  TransportEvent event;
  int left = kEventsPerTurn;
  for (std::size_t i = 0; i < transports_.size(); ++i) {
    Transport* transport = transports_[(first_ + i) % transports_.size()];
    while (left > 0 && transport->poll_event(event)) {
      handle(now, *event.connection, event.event);
      --left;
    }
  }
  first_ = (first_ + 1) % transports_.size();  // a busy one does not starve the others
  return left == 0 || has_work();
}

void Swarm::handle(Instant now, Connection& connection, const ConnectionEvent& event) {
  using Kind = ConnectionEvent::Kind;
  auto* slot = static_cast<StreamSlot*>(event.context);
  switch (event.kind) {
    case Kind::kEstablished: return on_established(now, connection);
    case Kind::kClosed: return on_closed(now, connection, event.error);
    case Kind::kStreamsAvailable: return release_waiting(now, connection.peer());
    case Kind::kDatagram:
    case Kind::kMessage: return observer_.on_datagram(now, connection, event.datagram);
    case Kind::kPathChanged: return observer_.on_path_changed(now, connection);
    case Kind::kStreamOpened: return on_stream_opened(now, connection, event.stream);
    case Kind::kReadable:
      if (slot != nullptr) on_readable(now, *slot);
      return;
    case Kind::kWritable:
      if (slot != nullptr && slot->stream->handler() != nullptr) {
        slot->stream->handler()->on_writable(now, *slot->stream);
      }
      return;
    case Kind::kStreamStopped:
      if (slot != nullptr && slot->stream->handler() != nullptr) {
        slot->stream->handler()->on_stopped(now, *slot->stream, event.code);
      }
      return;
    case Kind::kStreamReset:
      // The peer gave the stream up; so do we, as every libp2p muxer does.
      if (slot == nullptr) return;
      connection.reset(event.stream, event.code);
      return end_stream(now, *slot, {Code::kStreamReset, event.code, "the peer reset the stream"});
    case Kind::kStreamClosed:
      if (slot != nullptr) end_stream(now, *slot, {Code::kOk, 0, ""});
      return;
  }
}

void Swarm::on_established(Instant now, Connection& connection) {
  const ConnectionId id = connection.id();
  const auto attempt = attempts_.find(id);
  const std::uint64_t dial = attempt == attempts_.end() ? 0 : attempt->second.dial;
  // Another attempt was established at the same moment and was heard of first.
  if (connection.outbound() && dial == 0 && !connection.established()) return;
  const PeerId peer = connection.peer();
  const IpAddress ip = ip_address(connection.remote_address()).value_or(IpAddress{});
  auto reservation = resources_.connection(peer, ip);
  if (peer == self_) {  // at an address that did not say so
    connection.close(wire_code::kNone, kSelf.why);
    if (dial != 0) finish_dial(now, dial, std::unexpected(kSelf));
    return;
  }
  const bool unwanted = closing_ && (attempt == attempts_.end() || attempt->second.streams.count == 0);
  if (unwanted || !reservation) {
    const Error why = unwanted ? kNodeClosed : reservation.error();
    connection.close(unwanted ? wire_code::kConnShutdown : wire_code::kConnResourceLimit, why.why);
    if (dial != 0) finish_dial(now, dial, std::unexpected(why));
    return;
  }
  Live live{&connection, {}, std::move(*reservation), {}};
  if (attempt != attempts_.end()) {
    live.streams = attempt->second.streams;
    attempts_.erase(attempt);
  }
  live_.emplace(id, std::move(live));
  peers_[peer].connections.push_back(id);
  if (connection.outbound()) store_.mark_good(peer, connection.remote_address());
  // Who waited goes first, before what the protocols have to say to each other.
  if (dial != 0) finish_dial(now, dial, &connection);
  release_waiting(now, peer);
  observer_.on_connected(now, connection);
  hand_over_early(now, id);
}

void Swarm::on_closed(Instant now, Connection& connection, const Error& why) {
  const ConnectionId id = connection.id();
  if (const auto attempt = attempts_.find(id); attempt != attempts_.end()) {
    StreamList streams = attempt->second.streams;
    const std::uint64_t dial = attempt->second.dial;
    attempts_.erase(attempt);
    end_all(now, streams, stream_error(why));
    if (const auto it = dials_.find(dial); it != dials_.end()) {
      observer_.on_dial_failed(it->second.peer, connection.remote_address(), why);
      it->second.machine.attempt_failed(now, stream_error(why));
      advance_dial(now, dial);
    }
    return;
  }
  const auto live = live_.find(id);
  if (live == live_.end()) {
    if (!connection.outbound()) observer_.on_handshake_failed(connection, why);
    return;
  }
  end_all(now, live->second.streams, stream_error(why));
  auto waiting = std::move(live->second.waiting);
  live_.erase(live);
  const PeerId name = connection.peer();
  auto& connections = peers_.at(name).connections;
  std::erase(connections, id);
  const bool last = connections.empty();
  observer_.on_disconnected(now, connection, stream_error(why), last);
  fail_all(now, std::move(waiting), stream_error(why));
  fail_waiting(now, name, stream_error(why));
  release_waiting(now, name);  // over those that are left
  forget_if_idle(name);
}

void Swarm::on_stream_opened(Instant now, Connection& connection, StreamId id) {
  auto reservation = resources_.stream(connection.peer());
  if (closing_ || !reservation) {
    connection.reset(id, closing_ ? wire_code::kStreamShutdown : wire_code::kStreamResourceLimit);
    return;
  }
  StreamSlot& slot = pool_.acquire(list_of(connection), connection, id, std::move(*reservation));
  connection.set_context(id, &slot);
  slot.stream->listen();
  const std::uint32_t generation = slot.generation;
  negotiate(now, slot);  // most often its proposal is here already
  if (slot.generation == generation && !slot.stream->negotiation().agreed()) await_protocol(now, slot);
}

void Swarm::await_protocol(Instant now, StreamSlot& slot) {
  // Streams that come and go at once leave their places here; there are never more of those than of others.
  if (negotiating_.size() >= kNegotiatingSlack + 2 * std::size_t{resources_.usage().streams}) {
    std::erase_if(negotiating_, [](const Negotiating& n) { return n.over(); });
  }
  negotiating_.push_back({now + kNegotiationTimeout, &slot, slot.generation});
}

void Swarm::on_readable(Instant now, StreamSlot& slot) {
  Stream& stream = *slot.stream;
  if (!stream.negotiation().agreed()) return negotiate(now, slot);
  if (stream.handler() != nullptr) stream.handler()->on_readable(now, stream);
}

void Swarm::negotiate(Instant now, StreamSlot& slot) {
  Stream& stream = *slot.stream;
  const auto agreed = stream.negotiate(known_, reply_);
  if (!agreed) {
    if (!stream.outbound()) observer_.on_stream_refused(stream.connection(), agreed.error());
    return end_stream(now, slot, agreed.error());
  }
  if (!*agreed) return;
  if (stream.outbound()) {
    if (!stream.peek().empty() || stream.at_end()) stream.handler()->on_readable(now, stream);
    return;
  }
  const bool early = !live_.contains(stream.connection().id());
  if (!early || services_.find(stream.protocol())->second.replay_safe) hand_over(now, slot);
}

void Swarm::hand_over(Instant now, StreamSlot& slot) {
  Stream& stream = *slot.stream;
  const std::uint32_t generation = slot.generation;
  stream.set_handler(services_.find(stream.protocol())->second.handler);
  stream.handler()->on_stream_open(now, stream);
  if (slot.generation == generation && (!stream.peek().empty() || stream.at_end())) {
    stream.handler()->on_readable(now, stream);
  }
}

void Swarm::hand_over_early(Instant now, ConnectionId connection) {
  std::vector<std::pair<StreamSlot*, std::uint32_t>> held;
  for (StreamSlot* slot = live_.at(connection).streams.first; slot != nullptr; slot = slot->next) {
    const Stream& stream = *slot->stream;
    const bool holds = !stream.outbound() && stream.negotiation().agreed() && stream.handler() == nullptr;
    if (holds) held.push_back({slot, slot->generation});
  }
  std::ranges::reverse(held);  // oldest first
  for (const auto& [slot, generation] : held) {
    if (slot->generation == generation) hand_over(now, *slot);
  }
}

void Swarm::end_stream(Instant now, StreamSlot& slot, const Error& why) {
  Stream& stream = *slot.stream;
  Connection& connection = stream.connection();
  connection.set_context(stream.id(), nullptr);
  if (stream.handler() != nullptr) {
    const bool unanswered = why.code == Code::kOk && !stream.negotiation().agreed();
    const Error truncated{Code::kNegotiation, 0, "the stream ended before a protocol was agreed"};
    stream.handler()->on_stream_closed(now, stream, unanswered ? truncated : why);
  }
  pool_.release(list_of(connection), slot);
}

void Swarm::end_all(Instant now, StreamList& streams, const Error& why) {
  while (streams.first != nullptr) {
    StreamSlot& slot = *streams.first;
    slot.stream->connection().set_context(slot.stream->id(), nullptr);
    if (StreamHandler* handler = slot.stream->handler()) {
      handler->on_stream_closed(now, *slot.stream, why);
    }
    pool_.release(streams, slot);
  }
}

StreamList& Swarm::list_of(const Connection& connection) {
  const auto live = live_.find(connection.id());
  if (live != live_.end()) return live->second.streams;
  // An inbound connection whose 0-RTT streams come before it is established.
  return attempts_.try_emplace(connection.id(), Attempt{0, const_cast<Connection*>(&connection), {}})
      .first->second.streams;
}

// --- asking

Connection* Swarm::best_connection(const PeerId& peer) const {
  const auto it = peers_.find(peer);
  if (it == peers_.end()) return nullptr;
  for (const ConnectionId id : it->second.connections) {
    Connection* connection = live_.at(id).connection;
    if (connection->established()) return connection;
  }
  return nullptr;
}

Connection* Swarm::find(ConnectionId id) const {
  const auto it = live_.find(id);
  return it != live_.end() && it->second.connection->established() ? it->second.connection : nullptr;
}

std::vector<Connection*> Swarm::connections() const {
  std::vector<Connection*> out;
  for (const auto& [id, live] : live_) out.push_back(live.connection);
  std::ranges::sort(out, {}, [](const Connection* c) { return c->id(); });
  return out;
}

std::uint32_t Swarm::streams_count(const Connection& connection) const {
  const auto it = live_.find(connection.id());
  return it == live_.end() ? 0 : it->second.streams.count;
}

void Swarm::disconnect(const PeerId& peer, std::uint64_t code) {
  const auto give_up = [&](auto& requests) {
    for (auto& request : requests) request.given_up = request.given_up || request.peer == peer;
  };
  give_up(opens_);
  give_up(opens_taken_);
  give_up(dial_requests_);
  give_up(dial_requests_taken_);
  const auto it = peers_.find(peer);
  if (it == peers_.end()) return;
  give_up(it->second.waiting);
  if (it->second.dial != 0) dials_given_up_.push_back(it->second.dial);
  for (const ConnectionId id : it->second.connections) live_.at(id).connection->close(code, "");
}

void Swarm::close(Instant now) {
  closing_ = true;
  process_dials(now);
  process_opens(now);
  while (!dials_.empty()) finish_dial(now, dials_.begin()->first, std::unexpected(kNodeClosed));
  for (auto& [peer, state] : peers_) fail_all(now, std::exchange(state.waiting, {}), kNodeClosed);
  for (auto& [id, live] : live_) fail_all(now, std::exchange(live.waiting, {}), kNodeClosed);
}

std::size_t Swarm::close_connections(bool all) {
  std::size_t left = 0;
  const auto close = [&](Connection& connection) {
    const std::size_t undelivered = connection.undelivered();
    if (all || undelivered == 0) return connection.close(wire_code::kConnShutdown, "shutting down");
    connection.ask_delivery();
    left += undelivered;
  };
  for (Connection* connection : connections()) close(*connection);
  for (const auto& [id, attempt] : attempts_) close(*attempt.connection);
  return left;
}

void Swarm::forget_if_idle(const PeerId& peer) {
  const auto it = peers_.find(peer);
  if (it == peers_.end()) return;
  const Peer& p = it->second;
  if (p.connections.empty() && p.dial == 0 && p.waiting.empty()) peers_.erase(it);
}

}  // namespace p2pa::swarm
