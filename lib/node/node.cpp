#include "p2pagents/node.hpp"

#include <utility>

#include "node/impl.hpp"

namespace p2pa {

Node::Node(std::unique_ptr<NodeCore> core, std::unique_ptr<Driver> driver)
    : core_(std::move(core)), driver_(std::move(driver)) {
  if (driver_) driver_->attach(*this);
}

Node::~Node() {
  if (driver_) driver_->stop_thread();
}

const PeerId& Node::id() const { return core_->impl().options.key->peer_id(); }

std::vector<Multiaddr> Node::addresses() const {
  std::vector<Multiaddr> out = core_->impl().addresses();
  for (Multiaddr& address : out) address = address.with_peer_id(id());
  return out;
}

Result<void> Node::listen(const Multiaddr& address) {
  NodeCore::Impl& node = core_->impl();
  if (node.state != NodeCore::Impl::State::kRunning) return fail(Code::kClosed, "the node is closed");
  return node.sockets.listen(address);
}

// --- peers

Result<void> Node::add_address(const PeerId& peer, const Multiaddr& address) {
  const auto named = address.peer_id();
  if (peer.empty() || (named && *named != peer)) {
    return fail(Code::kInvalidArgument, "the address names another peer");
  }
  core_->impl().peers.add_address(peer, address, peerstore::Peerstore::Source::kHost);
  return {};
}

namespace {

swarm::DialDone adapt(NodeCore::Impl& node, DialReportCallback done) {
  return [&node, done = std::move(done)](Instant, Result<Connection*> result, const DialReport& report) mutable {
    if (!done) return;
    if (!result) return done(std::unexpected(result.error()), report);
    done(node.describe_connection(**result), report);
  };
}

DialReportCallback without_report(DialCallback done) {
  if (!done) return {};
  return [done = std::move(done)](Result<ConnectionInfo> result, const DialReport&) mutable {
    done(std::move(result));
  };
}

}  // namespace

void Node::dial(const Multiaddr& address, DialCallback done) {
  dial(address, {}, without_report(std::move(done)));
}

void Node::dial(const PeerId& peer, DialCallback done) {
  dial(peer, {}, without_report(std::move(done)));
}

void Node::dial(const Multiaddr& address, const DialOptions& options, DialReportCallback done) {
  core_->impl().swarm.dial(address, adapt(core_->impl(), std::move(done)), options);
}

void Node::dial(const PeerId& peer, const DialOptions& options, DialReportCallback done) {
  core_->impl().swarm.dial(peer, adapt(core_->impl(), std::move(done)), options);
}

void Node::disconnect(const PeerId& peer) {
  core_->impl().swarm.disconnect(peer, wire_code::kNone);
}

Result<void> Node::keep(const PeerId& peer) {
  NodeCore::Impl& node = core_->impl();
  if (node.state != NodeCore::Impl::State::kRunning) return fail(Code::kClosed, "the node is closed");
  if (peer.empty()) return fail(Code::kInvalidArgument, "nobody has the empty PeerId");
  return node.swarm.keep(now(), peer);
}

bool Node::unkeep(const PeerId& peer) { return core_->impl().swarm.unkeep(peer); }

Result<void> Node::protect(const PeerId& peer, const std::string& tag) {
  return core_->impl().swarm.pool().protect(peer, tag);
}

bool Node::unprotect(const PeerId& peer, const std::string& tag) {
  return core_->impl().swarm.pool().unprotect(peer, tag);
}

Result<void> Node::set_value(const PeerId& peer, const std::string& tag, int value) {
  return core_->impl().swarm.pool().set_value(peer, tag, value);
}

PeerId Node::choose_peer(const std::vector<PeerId>& peers) { return core_->impl().swarm.choose_peer(peers); }

// --- whom to deal with

Result<void> Node::deny(std::string_view rule) {
  auto parsed = swarm::parse_gate_rule(rule);
  if (!parsed) return std::unexpected(parsed.error());
  core_->impl().swarm.gater().deny(std::move(*parsed));
  core_->impl().swarm.rules_changed();
  return {};
}

Result<void> Node::allow(std::string_view rule) {
  auto parsed = swarm::parse_gate_rule(rule);
  if (!parsed) return std::unexpected(parsed.error());
  return core_->impl().swarm.gater().allow(std::move(*parsed));
}

Result<void> Node::forget_rule(std::string_view rule) {
  const auto parsed = swarm::parse_gate_rule(rule);
  if (!parsed) return std::unexpected(parsed.error());
  if (!core_->impl().swarm.gater().forget(*parsed)) return fail(Code::kNotFound, "there is no such rule");
  core_->impl().swarm.rules_changed();
  return {};
}

void Node::allow_only(bool allowed_only) {
  core_->impl().swarm.gater().set_allowed_only(allowed_only);
  core_->impl().swarm.rules_changed();
}

// --- how fast

Result<void> Node::set_rate_limit(std::string_view scope, Direction direction, const RateLimit& limit) {
  const auto parsed = shaping::parse_scope(scope);
  if (!parsed) return std::unexpected(parsed.error());
  return core_->impl().resources.shaper().set(*parsed, direction, limit);
}

Result<void> Node::clear_rate_limit(std::string_view scope, Direction direction) {
  const auto parsed = shaping::parse_scope(scope);
  if (!parsed) return std::unexpected(parsed.error());
  const bool had = core_->impl().resources.shaper().clear(*parsed, direction);
  return had ? Result<void>{} : fail(Code::kNotFound, "there is no such limit");
}

Result<std::optional<RateLimit>> Node::rate_limit(std::string_view scope, Direction direction) const {
  const auto parsed = shaping::parse_scope(scope);
  if (!parsed) return std::unexpected(parsed.error());
  return core_->impl().resources.shaper().limit(*parsed, direction);
}

std::vector<ConnectionInfo> Node::connections() const {
  std::vector<ConnectionInfo> out;
  for (const Connection* connection : core_->impl().swarm.connections()) {
    out.push_back(core_->impl().describe_connection(*connection));
  }
  return out;
}

std::optional<PeerInfo> Node::info(const PeerId& peer) const {
  const PeerInfo* known = core_->impl().peers.info(peer);
  return known == nullptr ? std::nullopt : std::optional(*known);
}

LimitCounters Node::limit_counters() const { return core_->impl().resources.counters(); }
DropCounters Node::drop_counters() const { return core_->impl().resources.drops(); }

LimitUsage Node::usage() const { return core_->impl().resources.usage(); }

// --- requests

Result<void> Node::serve(std::string name, Method method) {
  return core_->impl().rpc.serve(std::move(name), std::move(method));
}

Result<void> Node::serve(std::string name, UnaryMethod method) {
  return core_->impl().rpc.serve(std::move(name), std::move(method));
}

void Node::stop_serving(std::string_view name) { core_->impl().rpc.stop_serving(name); }

CallId Node::call(const PeerId& peer, std::string_view method, ByteView request,
                  CallOptions options, UnaryCallback done) {
  return core_->impl().rpc.call(now(), peer, method, request, options, std::move(done));
}

Call* Node::open_call(const PeerId& peer, std::string_view method, CallOptions options,
                      CallHandler handler) {
  return &core_->impl().rpc.open_call(now(), peer, method, options, std::move(handler));
}

void Node::notify(const PeerId& peer, std::string_view method, ByteView message,
                  std::move_only_function<void(const CallOutcome&)> done) {
  core_->impl().rpc.notify(now(), peer, method, message, std::move(done));
}

Call* Node::find_call(CallId id) { return core_->impl().rpc.find_call(id); }

// --- raw streams

Result<void> Node::handle_protocol(std::string protocol,
                                   std::move_only_function<void(AgentStream&)> on_stream) {
  if (!on_stream) return fail(Code::kInvalidArgument, "nobody takes the protocol's streams");
  NodeCore::Impl& node = core_->impl();
  if (auto served = node.swarm.serve(protocol, node.streams); !served) return served;
  node.streams.serve(std::move(protocol), std::move(on_stream));
  node.identify.local_changed(now());
  return {};
}

void Node::open_stream(const PeerId& peer, std::string_view protocol,
                       std::move_only_function<void(Result<AgentStream*>)> done) {
  if (!done) done = [](Result<AgentStream*>) {};
  core_->impl().streams.open(peer, protocol, std::move(done));
}

AgentStream* Node::find_stream(std::uint64_t id) { return core_->impl().streams.find(id); }

Result<void> Node::send_datagram(const PeerId& peer, ByteView payload) {
  Connection* connection = core_->impl().swarm.best_connection(peer);
  if (connection == nullptr) return fail(Code::kNotFound, "not connected to the peer");
  return connection->send_datagram(payload);
}

void Node::on_datagram(std::move_only_function<void(const PeerId&, ByteView)> handler) {
  core_->impl().datagram_handler.set(std::move(handler));
}

// --- messages

void Node::open_message_channel(const PeerId& peer, MessageChannelOptions options, MessageChannelCallback opened) {
  NodeCore::Impl& node = core_->impl();
  if (!opened) opened = [](Result<MessageChannel*>) {};
  // Written so that what is not a number is refused too.
  const bool valid = options.deadline.ns >= 0 && options.repair_max >= 0 && options.repair_max <= 1;
  if (valid) return node.messages.open(peer, options, std::move(opened));
  node.defer([opened = std::move(opened)]() mutable {
    opened(fail(Code::kInvalidArgument, "deadline is not negative, repair_max is 0 to 1"));
  });
}

void Node::on_message(std::move_only_function<void(const PeerId&, ByteView)> handler) {
  core_->impl().message_handler.set(std::move(handler));
}

// --- messages over sessions

Result<void> Node::send_session_message(const PeerId& peer, ByteView message, const SessionMessageOptions& options) {
  Connection* const session = core_->impl().swarm.best_session(peer);
  if (session == nullptr) return fail(Code::kNotFound, "no session over UDP with the peer");
  return session->send_message(message, options);
}

void Node::on_session_message(std::move_only_function<void(const PeerId&, const SessionMessage&)> handler) {
  core_->impl().session_message_handler.set(std::move(handler));
}

// --- the local network

Result<void> Node::join_lan(std::string_view topic) {
  const auto lan = core_->impl().use_lan(now());
  return lan ? (*lan)->join(topic) : std::unexpected(lan.error());
}

Result<void> Node::leave_lan(std::string_view topic) {
  lan::Lan* const lan = core_->impl().lan.machine();
  const bool joined = lan != nullptr && lan->leave(topic);
  return joined ? Result<void>{} : fail(Code::kNotFound, "the topic was not joined");
}

Result<void> Node::send_lan(std::string_view topic, ByteView message) {
  const auto lan = core_->impl().use_lan(now());
  return lan ? (*lan)->send(now(), topic, message) : std::unexpected(lan.error());
}

void Node::on_lan_message(std::move_only_function<void(const LanMessage&)> handler) {
  core_->impl().lan_handler.set(std::move(handler));
}

LanCounters Node::lan_counters() const { return core_->impl().lan.counters(); }

// --- measuring

void Node::ping(const PeerId& peer, PingCallback done) {
  if (!done) done = [](Result<Duration>) {};
  core_->impl().ping.ping(now(), peer, std::move(done));
}

void Node::perf(const PeerId& peer, std::uint64_t upload, std::uint64_t download, PerfCallback done) {
  if (!done) done = [](Result<PerfResult>) {};
  core_->impl().perf.measure(now(), peer, upload, download, std::move(done));
}

// --- running

void Node::on_event(std::move_only_function<void(const NodeEvent&)> handler) {
  core_->impl().on_event.set(std::move(handler));
}

Result<int> Node::poll(Duration timeout, int budget) {
  if (!driver_) return fail(Code::kInvalidState, "somebody else drives this node");
  return driver_->poll(timeout, budget);
}

int Node::wakeup_fd() const { return driver_ ? driver_->wakeup_fd() : -1; }

Instant Node::next_deadline() const {
  return driver_ ? driver_->next_deadline() : core_->next_deadline();
}

Instant Node::now() const { return driver_ ? driver_->now() : core_->impl().now; }

Result<void> Node::start_thread() {
  if (!driver_) return fail(Code::kInvalidState, "somebody else drives this node");
  return driver_->start_thread();
}

void Node::stop_thread() {
  if (driver_) driver_->stop_thread();
}

Result<void> Node::post(std::move_only_function<void(Node&)> fn) {
  if (!fn) return fail(Code::kInvalidArgument, "an empty function");
  if (driver_) return driver_->post(std::move(fn));
  if (closed()) return fail(Code::kClosed, "the node is closed");
  core_->impl().defer([this, fn = std::move(fn)]() mutable { fn(*this); });
  return {};
}

bool Node::poll_until(std::move_only_function<bool()> done, Duration timeout) {
  const Instant end = now() + timeout;
  while (!done()) {
    const Instant at = now();
    if (at >= end || !poll(end - at)) return done();
  }
  return true;
}

void Node::close() { core_->impl().ask_to_close(); }

bool Node::closed() const { return core_->impl().state == NodeCore::Impl::State::kClosed; }

}  // namespace p2pa
