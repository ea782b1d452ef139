#include "transport/tcp/endpoint.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "base/assert.hpp"
#include "base/timer_queue.hpp"
#include "transport/mux/connection_table.hpp"
#include "transport/tcp/connection.hpp"
#include "transport/tcp/shared.hpp"

namespace p2pa::tcp {

struct Endpoint::Impl {
  Impl(const KeyPair& key, Rng& rng, resource::Manager& resources, SocketNumbers& numbers, Config config)
      : shared(key, rng, resources, numbers, std::move(config)),
        connections(shared.mux, shared.config.first_id, shared.config.id_step) {}

  Connection& keep(std::unique_ptr<Connection> connection);
  void accept(const SocketEvent& event);
  void touch(Connection& connection);
  void bury_closed();
  void cut_off_oldest();
  void on_farewell(const SocketEvent& event);
  bool pop_farewell(MutableBytes buffer, SocketWrite& out);
  void forget_ended();

  struct Leaving {
    Bytes bytes;  // empty: written, or under way
    bool writing;
    Instant deadline;
  };

  Shared shared;
  mux::ConnectionTable<Connection> connections;
  std::map<SocketId, Road> listeners;
  std::map<SocketId, Leaving> leaving;
  TimerQueue<ConnectionId> deadlines;
};

Endpoint::Endpoint(const KeyPair& key, Rng& rng, resource::Manager& resources, SocketNumbers& numbers, Config config)
    : impl_(std::make_unique<Impl>(key, rng, resources, numbers, std::move(config))) {}

Endpoint::~Endpoint() = default;

Result<p2pa::Connection*> Endpoint::dial(Instant now, const DialTarget& target) {
  impl_->shared.set_now(now);
  auto road = road_to(target.address);
  P2PA_ASSERT(road.has_value());
  if (road->tls && !impl_->shared.web_trust) {
    impl_->shared.web_trust_wanted = true;
    return std::unexpected(impl_->shared.web_trust.error());
  }
  auto layers = layers_of(impl_->shared, *road, true);
  if (!layers) return std::unexpected(layers.error());
  return &impl_->keep(Connection::dial(impl_->shared, impl_->connections.number(), std::move(*road),
                                       std::move(*layers), target));
}

void Endpoint::add_listener(SocketId listener, const Road& road) { impl_->listeners[listener] = road; }
void Endpoint::remove_listener(SocketId listener) { impl_->listeners.erase(listener); }

void Endpoint::set_web_credentials(std::shared_ptr<const tls::WebCredentials> credentials) {
  impl_->shared.web_credentials = std::move(credentials);
}
void Endpoint::set_web_trust(Result<std::shared_ptr<const tls::WebTrust>> trust) {
  impl_->shared.web_trust = std::move(trust);
}
bool Endpoint::web_trust_wanted() const { return impl_->shared.web_trust_wanted; }

void Endpoint::handle(Instant now, const SocketEvent& event) {
  impl_->shared.set_now(now);
  if (event.kind == SocketEvent::Kind::kAccepted) return impl_->accept(event);
  const auto it = impl_->shared.sockets.find(event.socket);
  if (it == impl_->shared.sockets.end()) return impl_->on_farewell(event);
  Connection& connection = *it->second;
  connection.handle(event);
  impl_->touch(connection);
}

void Endpoint::close(Instant now) {
  impl_->shared.set_now(now);
  for (const auto& [id, connection] : impl_->connections) {
    connection->close(wire_code::kConnShutdown, "");
    impl_->touch(*connection);
  }
  impl_->bury_closed();
  // What the driver has is sent; who reads nothing misses a goodbye.
  for (const auto& [socket, entry] : impl_->leaving) impl_->shared.request(SocketRequest::Kind::kFinish, socket);
  impl_->leaving.clear();
}

Instant Endpoint::next_deadline() const {
  Instant next = impl_->deadlines.next();
  for (const auto& [socket, leaving] : impl_->leaving) next = std::min(next, leaving.deadline);
  return next;
}

void Endpoint::on_deadline(Instant now) {
  impl_->shared.set_now(now);
  while (const auto due = impl_->deadlines.pop_due(now)) {
    Connection& connection = impl_->connections.at(*due);
    connection.on_deadline();
    impl_->touch(connection);
  }
  std::erase_if(impl_->leaving, [&](const auto& entry) {
    if (entry.second.deadline > now) return false;
    impl_->shared.request(SocketRequest::Kind::kAbort, entry.first);
    return true;
  });
}

bool Endpoint::poll_event(TransportEvent& out) {
  impl_->forget_ended();
  return impl_->connections.poll_event(out);
}

bool Endpoint::has_events() const { return impl_->connections.has_events(); }

bool Endpoint::poll_write(Instant now, MutableBytes buffer, SocketWrite& out) {
  impl_->shared.set_now(now);
  impl_->bury_closed();
  if (impl_->pop_farewell(buffer, out)) return true;
  while (Connection* connection = impl_->shared.ready.pop()) {
    out = {connection->socket_id(), connection->fill(buffer.first(std::min(buffer.size(), Shared::kWriteBytes)))};
    impl_->touch(*connection);
    if (out.size > 0) return true;
  }
  return false;
}

bool Endpoint::poll_request(SocketRequest& out) {
  impl_->bury_closed();
  if (impl_->shared.requests.empty()) return false;
  out = impl_->shared.requests.front();
  impl_->shared.requests.pop_front();
  return true;
}

bool Endpoint::has_requests() const { return !impl_->shared.requests.empty() || !impl_->shared.farewells.empty(); }

std::size_t Endpoint::connections_count() const { return impl_->connections.size(); }

// --- connections

Connection& Endpoint::Impl::keep(std::unique_ptr<Connection> connection) {
  Connection& out = connections.keep(std::move(connection));
  touch(out);
  return out;
}

void Endpoint::Impl::accept(const SocketEvent& event) {
  auto reservation = shared.resources.handshake(event.remote.ip);
  if (!reservation) return shared.request(SocketRequest::Kind::kAbort, event.socket);
  const auto listener = listeners.find(event.listener);
  Road road = listener == listeners.end() ? Road{} : listener->second;
  if (road.tls && !shared.web_credentials) return shared.request(SocketRequest::Kind::kAbort, event.socket);
  road.remote = event.remote;
  road.host.clear();
  auto layers = layers_of(shared, road, false);
  if (!layers) return shared.request(SocketRequest::Kind::kAbort, event.socket);
  keep(Connection::accept(shared, connections.number(), std::move(road), std::move(*layers), event,
                          std::move(*reservation)));
}

void Endpoint::Impl::touch(Connection& connection) { deadlines.set(connection.id(), connection.next_deadline()); }

void Endpoint::Impl::forget_ended() {
  if (connections.ended() == 0) return;
  deadlines.cancel(connections.ended());
  connections.forget_ended();
}

// --- goodbyes

void Endpoint::Impl::bury_closed() {
  for (Farewell& farewell : shared.farewells) {
    if (farewell.bytes.empty() && !farewell.writing) {
      shared.request(SocketRequest::Kind::kFinish, farewell.socket);
    } else {
      if (leaving.size() >= kFarewellsMax) cut_off_oldest();
      leaving[farewell.socket] = {std::move(farewell.bytes), farewell.writing, shared.now + kFarewellTimeout};
    }
  }
  shared.farewells.clear();
}

void Endpoint::Impl::cut_off_oldest() {
  const auto deadline = [](const auto& entry) { return entry.second.deadline; };
  const auto oldest = std::ranges::min_element(leaving, {}, deadline);
  shared.request(SocketRequest::Kind::kAbort, oldest->first);
  leaving.erase(oldest);
}

/// What a socket does that no connection has any more.
void Endpoint::Impl::on_farewell(const SocketEvent& event) {
  bury_closed();
  const auto it = leaving.find(event.socket);
  if (it == leaving.end()) return;
  if (event.kind == SocketEvent::Kind::kLost) {
    leaving.erase(it);
  } else if (event.kind == SocketEvent::Kind::kWritten) {
    it->second.writing = false;
    if (!it->second.bytes.empty()) return;
    shared.request(SocketRequest::Kind::kFinish, event.socket);
    leaving.erase(it);
  }
}

bool Endpoint::Impl::pop_farewell(MutableBytes buffer, SocketWrite& out) {
  for (auto& [socket, entry] : leaving) {
    if (entry.writing || entry.bytes.empty()) continue;
    const std::size_t size = std::min(entry.bytes.size(), buffer.size());
    std::copy_n(entry.bytes.begin(), size, buffer.begin());
    entry.bytes.erase(entry.bytes.begin(), entry.bytes.begin() + static_cast<std::ptrdiff_t>(size));
    entry.writing = true;
    out = {socket, size};
    return true;
  }
  return false;
}

}  // namespace p2pa::tcp
