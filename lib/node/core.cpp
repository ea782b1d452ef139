#include "node/core.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/assert.hpp"
#include "node/check_options.hpp"
#include "node/impl.hpp"
#include "p2pagents/version.hpp"

namespace p2pa {
namespace {

constexpr ConnectionId kTransports = 3;

quic::Config quic_config(const NodeOptions& options, std::int64_t unix_time) {
  quic::Config config;
  config.congestion_control = options.congestion_control;
  config.idle_timeout = options.idle_timeout;
  config.keep_alive = options.keep_alive;
  config.handshake_timeout = options.handshake_timeout;
  config.unix_time = unix_time;
  config.id_step = kTransports;
  return config;
}

udp::Config udp_config(const NodeOptions& options, Machine machine) {
  udp::Config config;
  config.aes = machine.aes;
  config.congestion_control = options.congestion_control;
  config.idle_timeout = options.idle_timeout;
  config.keep_alive = options.keep_alive;
  config.handshake_timeout = options.handshake_timeout;
  config.first_id = 3;
  config.id_step = kTransports;
  return config;
}

tcp::Config tcp_config(const NodeOptions& options, std::int64_t unix_time) {
  tcp::Config config;
  config.security = options.security;
  config.idle_timeout = options.idle_timeout;
  config.keep_alive = options.keep_alive;
  config.handshake_timeout = options.handshake_timeout;
  config.unix_time = unix_time;
  config.network_key = options.network_key;
  if (!options.proxy.empty()) config.proxy = proxy_of(options.proxy).value();
  config.first_id = 2;
  config.id_step = kTransports;
  return config;
}

swarm::CareOptions care_options(const NodeOptions& options) {
  swarm::CareOptions care;
  care.heartbeat = options.heartbeat;
  care.pool.low_water = options.low_water;
  care.pool.high_water = options.high_water;
  care.pool.grace = options.grace;
  care.pool.idle_close = options.idle_close;
  care.pool.kept_per_peer = options.connections_kept_per_peer;
  return care;
}

NodeEvent event_of(NodeEvent::Kind kind) {
  NodeEvent event{};
  event.kind = kind;
  event.error = {Code::kOk, 0, ""};
  return event;
}

Effect effect_of(const SocketRequest& request) {
  Effect effect{};
  switch (request.kind) {
    case SocketRequest::Kind::kConnect: effect.kind = Effect::Kind::kConnectTcp; break;
    case SocketRequest::Kind::kFinish: effect.kind = Effect::Kind::kFinishTcp; break;
    case SocketRequest::Kind::kAbort: effect.kind = Effect::Kind::kAbortTcp; break;
  }
  effect.socket = request.socket;
  effect.remote = request.remote;
  return effect;
}

/// What runs over UDP goes around a proxy, and has no place for a network's key.
bool dials_over_udp(const NodeOptions& options) { return options.proxy.empty() && !options.network_key; }

/// Name servers are asked around a proxy: whoever has one says whom to ask, or nobody is asked.
bool resolves_names(const NodeOptions& options) {
  return options.proxy.empty() || !options.dns_servers.empty();
}

NodeOptions complete(NodeOptions options) {
  if (options.agent_version.empty()) options.agent_version = "p2pagents/" P2PA_VERSION_TEXT;
  return options;
}

}  // namespace

NodeCore::Impl::Impl(NodeOptions node_options, ByteView seed32, std::int64_t unix_time, Instant start, Machine machine)
    : options(complete(std::move(node_options))),
      journal(std::move(options.log), options.log_level),
      rng(seed32),
      now(start),
      resources(options.limits),
      quic(*options.key, rng, resources,
           [&] {
             auto config = quic_config(options, unix_time);
             if (!options.qlog_directory.empty()) {
               qlog_prefix = options.key->peer_id().to_string() + "-" + std::to_string(unix_time) + "-";
               config.qlog = [this](ConnectionId id, ByteView bytes) { append_qlog(id, bytes); };
             }
             return config;
           }()),
      udp(*options.key, rng, resources, udp_config(options, machine)),
      tcp(*options.key, rng, resources, socket_numbers, tcp_config(options, unix_time)),
      sockets(quic, udp, tcp, socket_numbers, options),
      quic_transport(
          quic, quic_endpoint,
          [this](const IpEndpoint& remote) { return sockets.socket_for(Sockets::Runs::kQuic, remote); },
          dials_over_udp(options)),
      udp_transport(
          udp, udp_endpoint,
          [this](const IpEndpoint& remote) { return sockets.socket_for(Sockets::Runs::kUdp, remote); },
          dials_over_udp(options)),
      swarm(options.key->peer_id(), {&quic_transport, &udp_transport, &tcp}, resources, peers, rng, *this,
            care_options(options), resolves_names(options) ? &names : nullptr, options.dial_private,
            options.open_timeout),
      identify(identify_context(unix_time)),
      ping(swarm, rng),
      perf(swarm, options.serve_perf),
      rpc(swarm, resources),
      messages(swarm, rng, resources, now,
               [this](const PeerId& from, ByteView message) { message_handler(from, message); }),
      streams(swarm),
      lan(options, socket_numbers, rng,
          [this](const PeerId& peer, const IpAddress& from) { return admit_lan(peer, from); },
          [this](const LanMessage& message) { lan_handler(message); }),
      web_files(options, tcp, journal),
      protocols{&identify, &ping, &perf, &rpc, &messages} {
  for (Protocol* protocol : protocols) {
    for (std::string& id : protocol->protocol_ids()) {
      (void)swarm.serve(std::move(id), *protocol, protocol->replay_safe());
    }
  }
  rpc.set_reads_packed([this](const PeerId& peer) {
    const PeerInfo* known = peers.info(peer);
    return known != nullptr && std::ranges::find(known->protocols, rpc::kPackedProtocolId) != known->protocols.end();
  });
  sockets.list_interfaces();  // a change is seen by what was there before
  for (const Multiaddr& address : options.listen) {
    if (auto listening = sockets.listen(address); !listening) {
      NodeEvent event = event_of(NodeEvent::Kind::kListenFailed);
      event.address = address;
      event.error = listening.error();
      emit(std::move(event));
    }
  }
}

identify::Context NodeCore::Impl::identify_context(std::int64_t unix_time) {
  return {.opener = swarm,
          .key = *options.key,
          .agent_version = options.agent_version,
          .record_sequence = static_cast<std::uint64_t>(unix_time),
          .addresses = [this] { return addresses(); },
          .protocols = [this] { return swarm.protocols(); },
          .identified = [this](PeerInfo info) { identified(std::move(info)); }};
}

// --- what the swarm says

void NodeCore::Impl::on_connected(Instant at, Connection& connection) {
  for (Protocol* protocol : protocols) protocol->on_connected(at, connection);
  NodeEvent event = event_of(NodeEvent::Kind::kConnected);
  event.peer = connection.peer();
  event.address = connection.remote_address();
  event.connection = connection.id();
  emit(std::move(event));
}

void NodeCore::Impl::on_disconnected(Instant at, Connection& connection, const Error& why, bool last) {
  for (Protocol* protocol : protocols) protocol->on_disconnected(at, connection, why);
  NodeEvent event = event_of(NodeEvent::Kind::kDisconnected);
  event.peer = connection.peer();
  event.address = connection.remote_address();
  event.connection = connection.id();
  event.last = last;
  event.error = why;
  emit(std::move(event));
}

void NodeCore::Impl::on_path_changed(Instant, Connection& connection) {
  NodeEvent event = event_of(NodeEvent::Kind::kPathChanged);
  event.peer = connection.peer();
  event.address = connection.remote_address();
  event.connection = connection.id();
  emit(std::move(event));
}

void NodeCore::Impl::on_datagram(Instant, Connection& connection, ByteView payload) {
  if (!messages.take(connection, payload)) datagram_handler(connection.peer(), payload);
}

void NodeCore::Impl::on_message(Instant, Connection& connection, const SessionMessage& message) {
  session_message_handler(connection.peer(), message);
}

void NodeCore::Impl::on_dial_failed(const PeerId& peer, const Multiaddr& address, const Error& why) {
  journal.dial_failed(peer, address, why);
}

void NodeCore::Impl::on_dial_ended(Instant, const std::shared_ptr<const DialReport>& report,
                                   Connection* connection) {
  NodeEvent event = event_of(connection != nullptr ? NodeEvent::Kind::kDialed : NodeEvent::Kind::kDialFailed);
  event.peer = report->peer;
  event.error = report->error;
  if (connection != nullptr) {
    event.address = connection->remote_address();
    event.connection = connection->id();
  }
  event.dial = report;
  emit(std::move(event));
}

void NodeCore::Impl::on_refused(const PeerId& peer, const Multiaddr& from, const Error& why) {
  refusals.add(now, peer, from, why);
}

void NodeCore::Impl::on_stream_refused(Connection& connection, const Error& why) {
  journal.stream_refused(connection.peer(), why);
}

void NodeCore::Impl::identified(PeerInfo info) {
  for (const Multiaddr& address : info.listen_addresses) {
    peers.add_address(info.peer, address, peerstore::Peerstore::Source::kPeer);
  }
  NodeEvent event = event_of(NodeEvent::Kind::kIdentified);
  event.peer = info.peer;
  peers.set_info(std::move(info));
  emit(std::move(event));
}

// --- the turn

bool NodeCore::Impl::turn(Instant at) {
  set_now(at);
  if (state == State::kCloseAsked) begin_close(at);
  names.turn(at);
  const bool more = swarm.turn(at);
  web_files.turn();
  if (lan.machine() != nullptr) lan.machine()->turn();
  for (Protocol* protocol : protocols) {
    if (protocol->has_work()) protocol->on_turn(at);
  }
  if (state == State::kRunning) tell_refusals(at);
  if (!deferred_.empty()) {
    for (auto& completion : std::exchange(deferred_, {})) completion();
  }
  for (std::size_t i = events.size(); i > 0; --i) {
    const NodeEvent event = std::move(events.front());
    events.pop_front();
    journal.happened(event);
    if (event_tap) event_tap(event);
    on_event(event);
  }
  journal.refusals(at, resources.counters());
  advance_close(at);
  return more || has_work();
}

void NodeCore::Impl::note_handshakes(Instant at) {
  const Limits& limits = resources.limits();
  const auto note = [&](LimitCounters::Which which, const Error& why) {
    const std::uint64_t more = resources.counters().refused[which] - noted.refused[which];
    if (more == 0) return;
    noted.refused[which] += more;
    refusals.add(at, {}, {}, why, more);
  };
  note(LimitCounters::kHandshakes, {Code::kLimitHandshakes, limits.handshakes_max, "too many handshakes in flight"});
  note(LimitCounters::kHandshakesPerIp,
       {Code::kLimitIp, limits.handshakes_per_ip_max, "too many handshakes in flight from one address"});
}

void NodeCore::Impl::tell_refusals(Instant at) {
  note_handshakes(at);
  while (const auto told = refusals.pop(at)) {
    NodeEvent event = event_of(NodeEvent::Kind::kRefused);
    event.peer = told->peer;
    event.address = told->address;
    event.error = told->why;
    event.count = told->count;
    emit(std::move(event));
  }
}

bool NodeCore::Impl::has_work() const {
  return state == State::kCloseAsked || !deferred_.empty() || !events.empty() || names.has_work() ||
         swarm.has_work() || (lan.machine() != nullptr && lan.machine()->has_work()) ||
         quic.has_events() || udp.has_events() || tcp.has_events() ||
         std::ranges::any_of(protocols, [](const Protocol* p) { return p->has_work(); });
}

void NodeCore::Impl::ask_to_close() {
  if (state == State::kRunning) state = State::kCloseAsked;
}

void NodeCore::Impl::begin_close(Instant at) {
  state = State::kClosing;
  close_deadline = at + kCloseTimeout;
  close_latest = at + kCloseTimeoutMax;
  undelivered_least = SIZE_MAX;
  // From now on new work is refused; connections end as soon as they have delivered what was written.
  rpc.close_all(at, {Code::kClosed, 0, "the node is closing"});
  swarm.close(at);
}

void NodeCore::Impl::advance_close(Instant at) {
  if (state == State::kClosing) {
    const std::size_t left = swarm.close_connections(at >= close_deadline);
    // Less than ever before: who goes on writing meanwhile does not hold the close up.
    if (left < undelivered_least) {
      undelivered_least = left;
      close_deadline = std::min(at + kCloseTimeout, close_latest);
    }
    if (!swarm.idle()) return;
    close_deadline = kNever;
    // One more turn, so that the driver sends the last packets before the sockets go.
    state = State::kFlushing;
    defer([] {});
  } else if (state == State::kFlushing) {
    state = State::kEnding;
    sockets.close(at);
    tcp.close(at);
    web_files.close();
    lan.close();
    defer([] {});
  } else if (state == State::kEnding) {
    state = State::kClosed;
    emit(event_of(NodeEvent::Kind::kClosed));
  }
}

// --- asking

std::vector<Multiaddr> NodeCore::Impl::addresses() const { return sockets.addresses(); }

ConnectionInfo NodeCore::Impl::describe_connection(const Connection& connection) {
  const ConnectionStats stats = connection.stats(now);
  ConnectionInfo info;
  info.id = connection.id();
  info.peer = connection.peer();
  info.remote_address = connection.remote_address();
  info.outbound = connection.outbound();
  info.rtt = stats.rtt;
  info.bytes_sent = stats.bytes_sent;
  info.bytes_received = stats.bytes_received;
  info.packets_sent = stats.packets_sent;
  info.packets_received = stats.packets_received;
  info.streams = swarm.streams_count(connection);
  if (const swarm::Quality* quality = swarm.measure(now, connection)) {
    info.jitter = quality->jitter();
    info.loss = quality->loss();
    info.throughput = quality->throughput();
    info.score = quality->score();
    info.age = swarm.age(now, connection);
  }
  return info;
}

void NodeCore::Impl::network_changed(Instant at) {
  if (state != State::kRunning) return;
  swarm.network_changed(at, sockets.interfaces());
  identify.local_changed(at);
}

Result<lan::Lan*> NodeCore::Impl::use_lan(Instant at) {
  if (state != State::kRunning) return fail(Code::kClosed, "the node is closed");
  return lan.use(at);
}

Result<void> NodeCore::Impl::admit_lan(const PeerId& peer, const IpAddress& from) {
  const swarm::Gater& rules = swarm.gater();
  if (!peer.empty()) return rules.connection(peer, udp_multiaddr({from, 0, 0}));
  if (auto served = rules.stream(lan::kProtocolId); !served) return served;
  return rules.accept(from);
}

void NodeCore::Impl::append_qlog(ConnectionId id, ByteView bytes) {
  if (file_effects.size() >= kFileEffectsMax) return;
  Effect effect{};
  effect.kind = Effect::Kind::kAppendFile;
  effect.path = options.qlog_directory + "/" + qlog_prefix + std::to_string(id) + ".sqlog";
  effect.bytes.assign(bytes.begin(), bytes.end());
  file_effects.push_back(std::move(effect));
}

// --- what a driver does

NodeCore::NodeCore(NodeOptions options, ByteView seed32, std::int64_t unix_time, Instant now, Machine machine)
    : impl_(std::make_unique<Impl>(std::move(options), seed32, unix_time, now, machine)) {
  P2PA_ASSERT(check_options(impl_->options).has_value());
}
NodeCore::~NodeCore() = default;

void NodeCore::handle(Instant now, const InboundDatagram& datagram) {
  impl_->set_now(now);
  lan::Lan* const lan = impl_->lan.machine();
  if (lan != nullptr && lan->has_socket(datagram.socket)) return lan->handle(now, datagram);
  if (impl_->udp.has_socket(datagram.socket)) return impl_->udp.handle(now, datagram);
  impl_->quic.handle(now, datagram);
}

void NodeCore::handle(Instant now, const SocketEvent& event) {
  impl_->set_now(now);
  impl_->tcp.handle(now, event);
}

void NodeCore::handle(Instant now, const EffectDone& done) {
  impl_->set_now(now);
  if (impl_->web_files.owns(done)) {
    if (impl_->web_files.done(now, done)) impl_->swarm.sockets_changed(now);
    return;
  }
  if (impl_->lan.owns(done)) {
    const auto heard = impl_->lan.done(done);
    if (heard) return;
    NodeEvent event = event_of(NodeEvent::Kind::kListenFailed);
    event.address = impl_->lan.address();
    event.error = heard.error();
    return impl_->emit(std::move(event));
  }
  const Sockets::Outcome outcome = impl_->sockets.done(done);
  if (outcome.listening) {
    NodeEvent event = event_of(NodeEvent::Kind::kListening);
    event.address = outcome.address;
    impl_->emit(std::move(event));
    impl_->identify.local_changed(now);
  }
  if (outcome.failed) {
    NodeEvent event = event_of(NodeEvent::Kind::kListenFailed);
    event.address = outcome.address;
    event.error = outcome.error;
    impl_->emit(std::move(event));
  }
  if (outcome.interfaces_known) impl_->swarm.set_interfaces(impl_->sockets.interfaces());
  if (outcome.interfaces_known) impl_->lan.set_interfaces(impl_->sockets.interfaces());
  if (outcome.sockets_changed) impl_->swarm.set_listens_on_loopback(impl_->sockets.listens_on_loopback());
  if (outcome.sockets_changed || outcome.interfaces_known) impl_->swarm.sockets_changed(now);
  if (outcome.interfaces_changed) impl_->network_changed(now);
}

void NodeCore::interfaces_changed() { impl_->sockets.list_interfaces(); }

void NodeCore::handle(Instant now, const dns::Answer& answer) {
  impl_->set_now(now);
  impl_->names.handle(now, answer);
}

void NodeCore::on_deadline(Instant now) {
  impl_->set_now(now);
  if (impl_->resources.shaper().next_deadline() <= now) impl_->resources.shaper().on_deadline(now);
  if (impl_->names.next_deadline() <= now) impl_->names.on_deadline(now);
  if (impl_->quic.next_deadline() <= now) impl_->quic.on_deadline(now);
  if (impl_->udp.next_deadline() <= now) impl_->udp.on_deadline(now);
  if (impl_->tcp.next_deadline() <= now) impl_->tcp.on_deadline(now);
  if (impl_->swarm.next_deadline() <= now) impl_->swarm.on_deadline(now);
  impl_->web_files.on_deadline(now);
  if (lan::Lan* const lan = impl_->lan.machine(); lan != nullptr) lan->on_deadline(now);
  for (Protocol* protocol : impl_->protocols) {
    if (protocol->next_deadline() <= now) protocol->on_deadline(now);
  }
}

bool NodeCore::turn(Instant now) { return impl_->turn(now); }

bool NodeCore::poll_effect(Effect& out) {
  if (impl_->web_files.poll_effect(out)) return true;
  if (impl_->sockets.poll_effect(out)) return true;
  if (impl_->lan.poll_effect(out)) return true;
  if (SocketRequest request; impl_->tcp.poll_request(request)) {
    out = effect_of(request);
    return true;
  }
  if (dns::Query query; impl_->names.poll_query(query)) {
    out = {};
    out.kind = Effect::Kind::kQueryDns;
    out.query = std::move(query);
    return true;
  }
  if (impl_->file_effects.empty()) return false;
  out = std::move(impl_->file_effects.front());
  impl_->file_effects.pop_front();
  return true;
}

bool NodeCore::poll_transmit(Instant now, MutableBytes buffer, const TransmitLimits& limits,
                             Transmit& out) {
  impl_->set_now(now);
  return impl_->quic.poll_transmit(now, buffer, limits, out) ||
         impl_->udp.poll_transmit(now, buffer, limits, out) ||
         (impl_->lan.machine() != nullptr && impl_->lan.machine()->poll_transmit(buffer, out));
}

bool NodeCore::poll_write(Instant now, MutableBytes buffer, SocketWrite& out) {
  impl_->set_now(now);
  return impl_->tcp.poll_write(now, buffer, out);
}

Instant NodeCore::next_deadline() const {
  Instant next = std::min(impl_->quic.next_deadline(), impl_->swarm.next_deadline());
  next = std::min(next, impl_->resources.shaper().next_deadline());
  next = std::min({next, impl_->udp.next_deadline(), impl_->tcp.next_deadline(), impl_->names.next_deadline()});
  next = std::min({next, impl_->web_files.next_deadline(), impl_->close_deadline});
  if (impl_->state == Impl::State::kRunning) next = std::min(next, impl_->refusals.next_deadline());
  if (const lan::Lan* const lan = impl_->lan.machine(); lan != nullptr) next = std::min(next, lan->next_deadline());
  for (const Protocol* protocol : impl_->protocols) {
    next = std::min(next, protocol->next_deadline());
  }
  return next;
}

bool NodeCore::has_work() const {
  return impl_->has_work() || impl_->sockets.has_effects() || impl_->lan.has_effects() ||
         impl_->web_files.has_effects() || impl_->tcp.has_requests() || impl_->names.has_queries();
}

void NodeCore::set_event_tap(std::move_only_function<void(const NodeEvent&)> tap) {
  impl_->event_tap = std::move(tap);
}

const resource::Manager& NodeCore::resources() const { return impl_->resources; }

}  // namespace p2pa
