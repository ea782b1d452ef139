#include "swarm/swarm.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "swarm/reasons.hpp"

namespace p2pa::swarm {
namespace {

constexpr std::size_t kNegotiatingSlack = 1024;

constexpr Error kTooManyWait{Code::kLimitStreams, kWaitingOpensMax, "too many streams wait for this peer"};
constexpr Error kNoCredit{Code::kTimeout, 0, "the peer took no more streams in time"};
constexpr Error kBadProtocol{Code::kInvalidArgument, 0, "a protocol id has 1 to 1,022 bytes, none of control"};

bool valid_protocol(std::string_view id) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return !id.empty() && id.size() + 2 <= multistream::kMessageBytesMax && std::ranges::none_of(id, control);
}

DropCounters::Which drop_of_handshake(const Error& why) {
  switch (why.code) {
    case Code::kTimeout: return DropCounters::kHandshakeSlow;
    case Code::kClosed: return DropCounters::kHandshakeRefused;  // now that we know who it is
    default: return DropCounters::kHandshakeFailed;
  }
}

/// Empty: no fault of the peer's.
std::optional<DropCounters::Which> drop_of_connection(const Error& why) {
  switch (why.code) {
    case Code::kProtocolViolation:
    case Code::kMalformed: return DropCounters::kConnectionViolation;
    case Code::kRateLimited: return DropCounters::kConnectionFlood;
    default: return std::nullopt;
  }
}

Multiaddr ip_multiaddr(const IpAddress& ip) {
  return Multiaddr::parse((ip.v6 ? "/ip6/" : "/ip4/") + ip.to_string()).value();
}

}  // namespace

Swarm::Swarm(const PeerId& self, std::vector<Transport*> transports, resource::Manager& resources,
             peerstore::Peerstore& peers, Rng& rng, Observer& observer, const CareOptions& care,
             dns::Resolver* names, DialPrivate dial_private, Duration open_timeout)
    : self_(self),
      transports_(std::move(transports)),
      resources_(resources),
      observer_(observer),
      known_([this](std::string_view protocol) { return serves(protocol); }),
      dialer_(self, transports_, peers, names, *this, dial_private),
      rng_(rng),
      care_(self, care, rng, *this),
      open_timeout_(open_timeout) {
  resources_.set_admission([this](const IpAddress& from) {
    auto admitted = care_.gater().accept(from);
    if (!admitted) observer_.on_refused({}, ip_multiaddr(from), admitted.error());
    return admitted;
  });
}

Swarm::~Swarm() { resources_.set_admission({}); }

Result<void> Swarm::serve(std::string protocol, StreamHandler& handler, bool replay_safe) {
  if (!valid_protocol(protocol)) return std::unexpected(kBadProtocol);
  if (!services_.try_emplace(std::move(protocol), Service{&handler, replay_safe}).second) {
    return fail(Code::kInvalidState, "the protocol is served already");
  }
  return {};
}

std::vector<std::string> Swarm::protocols() const {
  std::vector<std::string> out;
  for (const auto& [id, service] : services_) {
    if (serves(id)) out.push_back(id);
  }
  return out;
}

bool Swarm::serves(std::string_view protocol) const {
  return services_.contains(protocol) && care_.gater().stream(protocol).has_value();
}

// --- dialing

void Swarm::on_attempt_failed(const PeerId& peer, const Multiaddr& address, const Error& why) {
  observer_.on_dial_failed(peer, address, why);
}

void Swarm::on_dial_ended(Instant now, const std::shared_ptr<const DialReport>& report, Connection* connection) {
  const PeerId peer = report->peer;
  if (connection == nullptr) fail_waiting(now, peer, report->error);
  observer_.on_dial_ended(now, report, connection);
  forget_if_idle(peer);
}

Instant Swarm::next_deadline() const {
  Instant next = dialer_.next_deadline();
  if (!closing_) next = std::min(next, care_.next_deadline());
  next = std::min({next, peer_waits_.next(), connection_waits_.next()});
  return negotiating_.empty() ? next : std::min(next, negotiating_.front().deadline);
}

void Swarm::on_deadline(Instant now) {
  dialer_.advance(now);
  if (!closing_ && care_.next_deadline() <= now) care_.on_deadline(now);
  give_up_late(now);
  while (!negotiating_.empty() && negotiating_.front().deadline <= now) {
    const Negotiating late = negotiating_.front();
    negotiating_.pop_front();
    if (late.over()) continue;
    resources_.dropped(DropCounters::kStreamSlow);
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
    await_credit(now, live, std::move(request));
  }
}

void Swarm::open_unbound(Instant now, Peer& peer, OpenRequest request) {
  if (!peer.waiting.empty() || !open_on_any(now, peer, request)) await_credit(now, peer, std::move(request));
}

void Swarm::open_by_dialing(Instant now, OpenRequest request) {
  const PeerId name = request.peer;
  if (name == self_) return request.handler->on_stream_failed(now, request.tag, kSelf);
  if (!dialer_.dialing(name)) {
    peers_[name].waiting.push_back(std::move(request));
    dialer_.start(now, name);
    const auto it = peers_.find(name);  // a dial that failed at once has answered already
    if (it == peers_.end() || it->second.waiting.empty()) return;
    request = std::move(it->second.waiting.back());
    it->second.waiting.pop_back();
  }
  // Early data goes down with its attempt, so it waits while another address may win.
  Connection* attempt = request.options.replay_safe ? dialer_.last_hope(name) : nullptr;
  if (attempt != nullptr && attempt->early_data_possible()) {
    StreamList& streams = early_.try_emplace(attempt->id(), Early{attempt, {}}).first->second.streams;
    const bool taken = open_on(now, *attempt, streams, request);
    if (early_count(attempt->id()) == 0) early_.erase(attempt->id());
    if (taken) return;
  }
  peers_[name].waiting.push_back(std::move(request));
}

bool Swarm::open_on_any(Instant now, const Peer& peer, OpenRequest& request) {
  return std::ranges::any_of(usable(peer), [&](ConnectionId id) {
    Live& live = live_.at(id);
    return open_on(now, *live.connection, live.streams, request);
  });
}

bool Swarm::open_on(Instant now, Connection& connection, StreamList& streams, OpenRequest& request) {
  if (request.given_up) {
    request.handler->on_stream_failed(now, request.tag, kGivenUp);
    return true;
  }
  if (const auto allowed = care_.gater().stream(request.protocol); !allowed) {
    request.handler->on_stream_failed(now, request.tag, allowed.error());
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
  stream.join_class();
  if (streams.count == 1) care_.began_use(now, connection);
  request.handler->on_stream_open(now, stream);
  return true;
}

// --- waiting for the peer's credit

void Swarm::await_credit(Instant now, Live& live, OpenRequest request) {
  request.deadline = now + open_timeout_;
  if (live.waiting.empty()) connection_waits_.set(live.connection->id(), request.deadline);
  live.waiting.push_back(std::move(request));
}

void Swarm::await_credit(Instant now, Peer& peer, OpenRequest request) {
  request.deadline = now + open_timeout_;
  if (peer.waiting.empty()) peer_waits_.set(request.peer, request.deadline);
  peer.waiting.push_back(std::move(request));
}

void Swarm::await_credit_instead(Instant now, const PeerId& name) {
  const auto it = peers_.find(name);
  if (it == peers_.end() || it->second.waiting.empty()) return;
  for (OpenRequest& request : it->second.waiting) request.deadline = std::min(request.deadline, now + open_timeout_);
  peer_waits_.set(name, it->second.waiting.front().deadline);
}

void Swarm::give_up_late(Instant now) {
  while (const auto id = connection_waits_.pop_due(now)) {
    const auto live = live_.find(*id);
    if (live == live_.end()) continue;
    give_up_late(now, live->second.waiting);
    if (!live->second.waiting.empty()) connection_waits_.set(*id, live->second.waiting.front().deadline);
  }
  while (const auto name = peer_waits_.pop_due(now)) {
    const auto peer = peers_.find(*name);
    if (peer == peers_.end()) continue;
    give_up_late(now, peer->second.waiting);
    if (!peer->second.waiting.empty()) peer_waits_.set(*name, peer->second.waiting.front().deadline);
    forget_if_idle(*name);
  }
}

void Swarm::give_up_late(Instant now, std::deque<OpenRequest>& waiting) {
  std::deque<OpenRequest> late;
  for (; !waiting.empty() && waiting.front().deadline <= now; waiting.pop_front()) {
    late.push_back(std::move(waiting.front()));
  }
  fail_all(now, std::move(late), kNoCredit);
}

void Swarm::fail_all(Instant now, std::deque<OpenRequest> requests, const Error& why) {
  for (OpenRequest& request : requests) request.handler->on_stream_failed(now, request.tag, why);
}

void Swarm::fail_waiting(Instant now, const PeerId& peer, const Error& why) {
  const auto it = peers_.find(peer);
  if (it == peers_.end() || dialer_.dialing(peer) || !it->second.connections.empty()) return;
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

// --- what is done without being asked

Result<void> Swarm::keep(Instant now, const PeerId& peer) {
  if (peer == self_) return std::unexpected(kSelf);
  return care_.keep(now, peer, best_connection(peer) != nullptr);
}

void Swarm::dial_kept(const PeerId& peer) {
  const auto ended = [this, peer](Instant now, Result<Connection*> reached, const DialReport&) {
    care_.dial_ended(now, peer, reached.has_value());
  };
  dialer_.dial(peer, ended, {.force = true});  // its pauses are the keeper's
}

void Swarm::network_changed(Instant now, const std::vector<InterfaceAddress>& interfaces) {
  std::vector<IpAddress> addresses;
  for (const InterfaceAddress& interface : interfaces) addresses.push_back(interface.ip);
  care_.network_changed(now, addresses);
  dialer_.network_changed(now);
}

ConnectionPool::Use Swarm::use_of(ConnectionId id) const {
  const Live& live = live_.at(id);
  const ConnectionStats stats = live.connection->stats({});
  return {live.streams.count, stats.streams_opened + stats.streams_accepted, live.connection->heard_at()};
}

void Swarm::close_connection(Connection& connection, std::uint64_t code, const Error& why) {
  live_.at(connection.id()).ended = why;
  connection.close(code, why.why);
}

PeerId Swarm::choose_peer(const std::vector<PeerId>& peers) {
  std::vector<Choice> choices;
  for (const PeerId& peer : peers) {
    const Connection* connection = best_connection(peer);
    const Quality* quality = connection == nullptr ? nullptr : care_.quality(connection->id());
    choices.push_back(quality == nullptr ? Choice{} : Choice{quality->cost(), streams_count(*connection)});
  }
  return peers[swarm::choose_peer(rng_, choices)];
}

/// What began before a rule forbade it ends.
void Swarm::apply_rules(Instant now) {
  for (Connection* connection : connections()) {
    if (!connection->established()) continue;
    const auto allowed = may_try(connection->peer(), connection->remote_address());
    if (!allowed) {
      close_connection(*connection, wire_code::kConnGated, allowed.error());
      continue;
    }
    std::vector<std::pair<StreamSlot*, std::uint32_t>> all;
    for (StreamSlot* slot = live_.at(connection->id()).streams.first; slot != nullptr; slot = slot->next) {
      all.push_back({slot, slot->generation});
    }
    for (const auto& [slot, generation] : all) {
      if (slot->generation != generation) continue;  // an end of another one ended it
      const auto fine = care_.gater().stream(slot->stream->protocol());
      if (fine) continue;
      slot->stream->reset(wire_code::kStreamGated);
      end_stream(now, *slot, fine.error());
    }
  }
}

// --- what happened

bool Swarm::turn(Instant now) {
  if (std::exchange(rules_changed_, false)) apply_rules(now);
  if (dialer_.has_work()) dialer_.turn(now);
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
    case Kind::kDatagram: return observer_.on_datagram(now, connection, event.datagram);
    case Kind::kMessage:
      return observer_.on_message(now, connection, {static_cast<Delivery>(event.code >> 8),
                                                    static_cast<std::uint8_t>(event.code), event.datagram});
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
      if (!slot->stream->outbound() && !slot->stream->negotiation().agreed()) {
        resources_.dropped(DropCounters::kStreamUnknown);
      }
      connection.reset(event.stream, event.code);
      return end_stream(now, *slot, {Code::kStreamReset, event.code, "the peer reset the stream"});
    case Kind::kStreamClosed:
      if (slot != nullptr) end_stream(now, *slot, {Code::kOk, 0, ""});
      return;
  }
}

void Swarm::on_established(Instant now, Connection& connection) {
  const ConnectionId id = connection.id();
  // Another attempt was established at the same moment and was heard of first.
  if (connection.outbound() && !dialer_.wants(id) && !connection.established()) return;
  const PeerId peer = connection.peer();
  const IpAddress ip = ip_address(connection.remote_address()).value_or(IpAddress{});
  auto reservation = resources_.connection(peer, ip);
  // At an address that did not say so.
  if (peer == self_) return turn_away(now, connection, wire_code::kNone, kSelf);
  if (const auto allowed = care_.gater().connection(peer, connection.remote_address()); !allowed) {
    return turn_away(now, connection, wire_code::kConnGated, allowed.error());
  }
  const bool unwanted = closing_ && early_count(id) == 0;
  if (unwanted) return turn_away(now, connection, wire_code::kConnShutdown, kNodeClosed);
  if (!reservation) return turn_away(now, connection, wire_code::kConnResourceLimit, reservation.error());
  Live live{&connection, {}, std::move(*reservation), {}};
  if (const auto early = early_.find(id); early != early_.end()) {
    live.streams = early->second.streams;
    early_.erase(early);
  }
  live_.emplace(id, std::move(live));
  peers_[peer].connections.push_back(id);
  care_.connected(now, connection);
  // Who waited goes first, before what the protocols have to say to each other.
  dialer_.established(now, connection);
  release_waiting(now, peer);
  await_credit_instead(now, peer);
  observer_.on_connected(now, connection);
  hand_over_early(now, id);
}

void Swarm::turn_away(Instant now, Connection& connection, std::uint64_t code, const Error& why) {
  connection.close(code, why.why);
  if (!connection.outbound()) observer_.on_refused(connection.peer(), connection.remote_address(), why);
  dialer_.refused(now, connection, why);
}

void Swarm::on_closed(Instant now, Connection& connection, const Error& why) {
  const ConnectionId id = connection.id();
  if (const auto early = early_.find(id); early != early_.end()) {
    StreamList streams = early->second.streams;
    early_.erase(early);
    end_all(now, streams, stream_error(why));
  }
  const auto live = live_.find(id);
  if (live == live_.end()) {
    dialer_.closed(now, connection, why);
    if (!connection.outbound()) {
      resources_.dropped(drop_of_handshake(why));
      // What we closed ourselves was told when we did.
      if (why.code != Code::kClosed) observer_.on_refused(connection.peer(), connection.remote_address(), why);
    }
    return;
  }
  if (const auto fault = drop_of_connection(why)) resources_.dropped(*fault);
  const Error reason = stream_error(live->second.ended.code == Code::kOk ? why : live->second.ended);
  end_all(now, live->second.streams, reason);
  auto waiting = std::move(live->second.waiting);
  live_.erase(live);
  const PeerId name = connection.peer();
  auto& connections = peers_.at(name).connections;
  std::erase(connections, id);
  const bool last = connections.empty();
  care_.disconnected(now, connection, last);
  observer_.on_disconnected(now, connection, reason, last);
  fail_all(now, std::move(waiting), reason);
  fail_waiting(now, name, reason);
  release_waiting(now, name);  // over those that are left
  forget_if_idle(name);
}

void Swarm::on_stream_opened(Instant now, Connection& connection, StreamId id) {
  auto reservation = resources_.stream(connection.peer());
  if (closing_ || !reservation) {
    connection.reset(id, closing_ ? wire_code::kStreamShutdown : wire_code::kStreamResourceLimit);
    return;
  }
  if (!connection.established() && !may_try(connection.peer(), connection.remote_address())) {
    return connection.reset(id, wire_code::kStreamGated);
  }
  StreamList& streams = list_of(connection);
  StreamSlot& slot = pool_.acquire(streams, connection, id, std::move(*reservation));
  if (streams.count == 1) care_.began_use(now, connection);
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
    if (!stream.outbound()) {
      resources_.dropped(DropCounters::kStreamUnknown);
      observer_.on_stream_refused(stream.connection(), agreed.error());
    }
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
  stream.join_class();
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
  return early_.try_emplace(connection.id(), Early{const_cast<Connection*>(&connection), {}})
      .first->second.streams;
}

std::uint32_t Swarm::early_count(ConnectionId id) const {
  const auto it = early_.find(id);
  return it == early_.end() ? 0 : it->second.streams.count;
}

// --- asking

Connection* Swarm::best_connection(const PeerId& peer) const {
  const auto it = peers_.find(peer);
  if (it == peers_.end()) return nullptr;
  const std::vector<ConnectionId> all = usable(it->second);
  return all.empty() ? nullptr : live_.at(all.front()).connection;
}

Connection* Swarm::best_session(const PeerId& peer) const {
  const auto it = peers_.find(peer);
  if (it == peers_.end()) return nullptr;
  // Most often there is one, and this is asked for each message.
  const auto& all = it->second.connections;
  if (all.size() == 1) {
    Connection* const only = live_.at(all.front()).connection;
    return only->established() && only->message_size_max() > 0 ? only : nullptr;
  }
  for (const ConnectionId id : usable(it->second)) {
    Connection* const connection = live_.at(id).connection;
    if (connection->message_size_max() > 0) return connection;
  }
  return nullptr;
}

std::vector<ConnectionId> Swarm::usable(const Peer& peer) const {
  std::vector<ConnectionId> out;
  for (const ConnectionId id : peer.connections) {
    if (live_.at(id).connection->established()) out.push_back(id);
  }
  return care_.ranked(std::move(out));
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
  dialer_.give_up(peer);
  care_.unkeep(peer);
  const auto it = peers_.find(peer);
  if (it == peers_.end()) return;
  give_up(it->second.waiting);
  for (const ConnectionId id : it->second.connections) live_.at(id).connection->close(code, "");
}

void Swarm::close(Instant now) {
  closing_ = true;
  dialer_.close(now);
  process_opens(now);
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
  for (const auto& [id, early] : early_) close(*early.connection);
  return left;
}

void Swarm::forget_if_idle(const PeerId& peer) {
  const auto it = peers_.find(peer);
  if (it == peers_.end()) return;
  const Peer& p = it->second;
  if (p.connections.empty() && !dialer_.dialing(peer) && p.waiting.empty()) peers_.erase(it);
}

}  // namespace p2pa::swarm
