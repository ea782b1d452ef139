#include "swarm/dialer.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/assert.hpp"
#include "swarm/reasons.hpp"

namespace p2pa::swarm {

// --- asking

void Dialer::dial(const PeerId& peer, DialDone done) { requests_.push_back({peer, {}, std::move(done)}); }

void Dialer::dial(const Multiaddr& address, DialDone done) {
  requests_.push_back({address.peer_id().value_or(PeerId{}), address, std::move(done)});
}

void Dialer::give_up(const PeerId& peer) {
  for (std::vector<Request>* requests : {&requests_, &requests_taken_}) {
    for (Request& request : *requests) request.given_up = request.given_up || request.peer == peer;
  }
  if (const DialId id = find(peer); id != 0) given_up_.push_back(id);
}

void Dialer::turn(Instant now) {
  for (const DialId id : std::exchange(given_up_, {})) {
    if (dials_.contains(id)) finish(now, id, std::unexpected(kGivenUp));
  }
  std::swap(requests_, requests_taken_);
  for (Request& request : requests_taken_) process(now, std::move(request));
  requests_taken_.clear();
}

void Dialer::process(Instant now, Request request) {
  if (closing_) return request.done(now, std::unexpected(kNodeClosed));
  if (request.given_up) return request.done(now, std::unexpected(kGivenUp));
  if (request.peer == self_) return request.done(now, std::unexpected(kSelf));
  if (!request.peer.empty()) {
    const auto allowed = host_.may_dial(request.peer);
    if (!allowed) return request.done(now, std::unexpected(allowed.error()));
    if (!request.address.empty()) {
      store_.add_address(request.peer, request.address, peerstore::Peerstore::Source::kHost);
    }
    if (Connection* existing = host_.best_connection(request.peer)) return request.done(now, existing);
  }
  DialId id = find(request.peer);
  if (request.peer.empty()) {
    id = add(now, request.peer, {request.address});
  } else if (id == 0) {
    id = add(now, request.peer, store_.addresses(request.peer));
  }
  Pending& dial = dials_.at(id);
  if (dial.waiters.size() >= kDialWaitersMax) {
    return request.done(now, fail(Code::kRateLimited, "too many wait for one dial", kDialWaitersMax));
  }
  dial.waiters.push_back(std::move(request.done));
  // A dial that was under way began without it.
  if (!request.address.empty()) add_address(now, id, request.address.without_peer_id());
  advance(now, id);
}

void Dialer::start(Instant now, const PeerId& peer) {
  P2PA_ASSERT(!dialing(peer));
  advance(now, add(now, peer, store_.addresses(peer)));
}

void Dialer::close(Instant now) {
  closing_ = true;
  turn(now);
  while (!dials_.empty()) finish(now, dials_.begin()->first, std::unexpected(kNodeClosed));
}

// --- one dial

Dialer::DialId Dialer::add(Instant now, const PeerId& peer, std::vector<Multiaddr> addresses) {
  const DialId id = next_dial_++;
  const auto begins_with_name = [this](const Multiaddr& address) { return is_named(address); };
  const auto named = std::ranges::stable_partition(addresses, std::not_fn(begins_with_name));
  const std::vector<Multiaddr> names(named.begin(), named.end());
  addresses.erase(named.begin(), named.end());
  Dial machine(std::move(addresses), now);
  if (const auto last = store_.worked_last(peer); last && !is_named(*last)) machine.add(*last, now);
  dials_.emplace(id, Pending{std::move(machine), peer, {}, {}, {}});
  if (!peer.empty()) by_peer_[peer] = id;
  for (const Multiaddr& name : names) add_address(now, id, name);
  return id;
}

void Dialer::add_address(Instant now, DialId id, const Multiaddr& address) {
  Pending& dial = dials_.at(id);
  if (!is_named(address)) return dial.machine.add(address, now);
  if (dial.names.size() < kDialAddressesMax && dial.names.insert(address).second) resolve(now, id, address);
}

void Dialer::resolve(Instant now, DialId id, const Multiaddr& address) {
  Pending& dial = dials_.at(id);
  dial.machine.expect_name();
  // Of a /dnsaddr those records are meant that end so.
  const Multiaddr asked = dial.peer.empty() ? address : address.with_peer_id(dial.peer);
  names_->resolve(now, {asked}, [this, id, address](Instant at, Result<std::vector<Multiaddr>> found) {
    on_resolved(at, id, address, std::move(found));
  });
}

void Dialer::on_resolved(Instant now, DialId id, const Multiaddr& address,
                         Result<std::vector<Multiaddr>> found) {
  const auto it = dials_.find(id);
  if (it == dials_.end()) return;  // it ended without it
  if (found) {
    std::erase_if(*found, [this](const Multiaddr& each) { return each.peer_id() == self_; });
    if (found->empty()) found = std::unexpected(kSelf);
  }
  if (found) {
    if (!it->second.peer.empty()) {
      for (Multiaddr& each : *found) each = each.without_peer_id();
    }
    it->second.machine.name_resolved(*found, now);
  } else {
    host_.on_attempt_failed(it->second.peer, address, found.error());
    it->second.machine.name_failed(found.error());
  }
  advance(now, id);
}

Dialer::DialId Dialer::find(const PeerId& peer) const {
  const auto it = by_peer_.find(peer);
  return it == by_peer_.end() ? 0 : it->second;
}

void Dialer::advance(Instant now, DialId id) {
  for (;;) {
    const auto it = dials_.find(id);
    if (it == dials_.end()) return;
    Dial& machine = it->second.machine;
    if (machine.exhausted()) return finish(now, id, std::unexpected(machine.error()));
    const Multiaddr* address = machine.candidate(now);
    if (address == nullptr) return;
    const PeerId& peer = it->second.peer;
    // Whoever answers; but a record may have said who that is.
    const PeerId expected = peer.empty() ? address->peer_id().value_or(PeerId{}) : peer;
    const auto connection = start_attempt(now, {address->without_peer_id(), expected, true});
    if (!connection && connection.error().code == Code::kWouldBlock) return;  // sockets will follow
    if (!connection) {
      host_.on_attempt_failed(it->second.peer, *address, connection.error());
      machine.failed_to_start(now, connection.error());
      continue;
    }
    machine.started(now);
    const ConnectionId cid = (*connection)->id();
    it->second.attempts.push_back(cid);
    attempts_.emplace(cid, Attempt{id, *connection});
  }
}

Result<Connection*> Dialer::start_attempt(Instant now, const DialTarget& target) {
  const auto allowed = host_.may_try(target.peer, target.address);
  if (!allowed) return std::unexpected(allowed.error());
  for (Transport* transport : transports_) {
    if (transport->dials(target.address)) return transport->dial(now, target);
  }
  return fail(Code::kUnsupported, "no transport for this address");
}

void Dialer::finish(Instant now, DialId id, Result<Connection*> result) {
  const auto it = dials_.find(id);
  Pending dial = std::move(it->second);
  dials_.erase(it);
  drop_attempts(dial, result.has_value());
  if (const auto peer = by_peer_.find(dial.peer); peer != by_peer_.end() && peer->second == id) {
    by_peer_.erase(peer);
  }
  for (DialDone& done : dial.waiters) done(now, result);
  host_.on_dial_ended(now, dial.peer, result ? nullptr : &result.error());
}

void Dialer::drop_attempts(const Pending& dial, bool reached) {
  for (const ConnectionId attempt : dial.attempts) {
    const auto it = attempts_.find(attempt);
    if (it == attempts_.end()) continue;
    it->second.dial = 0;
    // An address that was added later may have won; what has begun on this one goes on.
    if ((reached || closing_) && host_.has_early_streams(*it->second.connection)) continue;
    it->second.connection->close(reached ? wire_code::kConnSupplanted : wire_code::kNone,
                                 reached ? "another address was faster" : "the dial was given up");
  }
}

// --- all of them

void Dialer::advance(Instant now) {
  std::vector<DialId> ids;
  for (const auto& [id, dial] : dials_) ids.push_back(id);
  for (const DialId id : ids) advance(now, id);
}

Instant Dialer::next_deadline() const {
  Instant next = kNever;
  for (const auto& [id, dial] : dials_) next = std::min(next, dial.machine.next_deadline());
  return next;
}

// --- what became of an attempt

bool Dialer::wants(ConnectionId id) const {
  const auto it = attempts_.find(id);
  return it != attempts_.end() && it->second.dial != 0;
}

void Dialer::established(Instant now, Connection& connection) {
  if (connection.outbound()) store_.mark_good(connection.peer(), connection.remote_address());
  const auto it = attempts_.find(connection.id());
  if (it == attempts_.end()) return;
  const DialId dial = it->second.dial;
  attempts_.erase(it);
  if (dial != 0) finish(now, dial, &connection);
}

void Dialer::refused(Instant now, ConnectionId id, const Error& why) {
  const auto it = attempts_.find(id);
  if (it != attempts_.end() && it->second.dial != 0) finish(now, it->second.dial, std::unexpected(why));
}

void Dialer::closed(Instant now, Connection& connection, const Error& why) {
  const auto it = attempts_.find(connection.id());
  if (it == attempts_.end()) return;
  const DialId id = it->second.dial;
  attempts_.erase(it);
  const auto dial = dials_.find(id);
  if (dial == dials_.end()) return;
  host_.on_attempt_failed(dial->second.peer, connection.remote_address(), why);
  dial->second.machine.attempt_failed(now, stream_error(why));
  advance(now, id);
}

Connection* Dialer::last_hope(const PeerId& peer) const {
  const auto dial = dials_.find(find(peer));
  if (dial == dials_.end() || !dial->second.machine.down_to_one()) return nullptr;
  for (const ConnectionId id : dial->second.attempts) {
    if (const auto it = attempts_.find(id); it != attempts_.end()) return it->second.connection;
  }
  return nullptr;
}

}  // namespace p2pa::swarm
