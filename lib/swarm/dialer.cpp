#include "swarm/dialer.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "swarm/reasons.hpp"

namespace p2pa::swarm {

namespace {

constexpr Error kNoTransport{Code::kUnsupported, 0, "no transport for this address"};
constexpr Error kFaster{Code::kCancelled, 0, "another address was faster"};
constexpr Error kMoved{Code::kCancelled, 0, "the addresses of this host changed, it was begun again"};
constexpr Error kNoMore{Code::kCancelled, 0, "the dial was given up"};

}  // namespace

// --- asking

void Dialer::dial(const PeerId& peer, DialDone done, const DialOptions& options) {
  requests_.push_back({peer, {}, std::move(done), options});
}

void Dialer::dial(const Multiaddr& address, DialDone done, const DialOptions& options) {
  requests_.push_back({address.peer_id().value_or(PeerId{}), address, std::move(done), options});
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
  if (closing_) return answer(now, std::move(request), std::unexpected(kNodeClosed));
  if (request.given_up) return answer(now, std::move(request), std::unexpected(kGivenUp));
  if (request.peer == self_) return answer(now, std::move(request), std::unexpected(kSelf));
  if (!request.peer.empty()) {
    const auto allowed = host_.may_dial(request.peer);
    if (!allowed) return answer(now, std::move(request), std::unexpected(allowed.error()));
    if (!request.address.empty()) {
      store_.add_address(request.peer, request.address, peerstore::Peerstore::Source::kHost);
    }
    Connection* existing = host_.best_connection(request.peer);
    if (existing != nullptr) return answer(now, std::move(request), existing);
  }
  DialId id = find(request.peer);
  if (id == 0) id = add(now, request.peer);
  Pending& dial = dials_.at(id);
  if (dial.waiters.size() >= kDialWaitersMax) {
    const auto refusal = fail(Code::kRateLimited, "too many wait for one dial", kDialWaitersMax);
    return answer(now, std::move(request), refusal);
  }
  join(now, id, std::move(request));
  advance(now, id);
}

/// What was no dial has an empty report.
void Dialer::answer(Instant now, Request request, Result<Connection*> result) {
  const Error error = result ? Error{Code::kOk, 0, ""} : result.error();
  request.done(now, result, *ReportBuilder(now).finish(now, request.peer, error));
}

void Dialer::start(Instant now, const PeerId& peer) {
  P2PA_ASSERT(!dialing(peer));
  advance(now, add(now, peer));
}

void Dialer::close(Instant now) {
  closing_ = true;
  turn(now);
  while (!dials_.empty()) finish(now, dials_.begin()->first, std::unexpected(kNodeClosed));
}

// --- one dial

Dialer::DialId Dialer::add(Instant now, const PeerId& peer) {
  const DialId id = next_dial_++;
  dials_.try_emplace(id, peer, now);
  if (!peer.empty()) by_peer_[peer] = id;
  return id;
}

Dialer::DialId Dialer::find(const PeerId& peer) const {
  const auto it = by_peer_.find(peer);
  return it == by_peer_.end() ? 0 : it->second;
}

void Dialer::join(Instant now, DialId id, Request request) {
  Pending& dial = dials_.at(id);
  dial.waiters.push_back(std::move(request.done));
  dial.wish.force |= request.options.force;
  const Multiaddr address = request.address.empty() ? request.address : request.address.without_peer_id();
  if (!address.empty()) dial.wish.named.insert(dial.wish.named.begin(), address);
  if (!dial.begun) return;
  // The dial that is under way began without what this one brings.
  if (is_named(address)) {
    look_up(now, id, address);
  } else if (!address.empty()) {
    dial.machine.add(address, now);
  }
  if (!dial.wish.force) return;
  for (const Multiaddr& held : std::exchange(dial.held_back, {})) dial.machine.append(held);
}

bool Dialer::begin(Instant now, DialId id, Pending& dial) {
  auto choice = chooser_.choose(now, dial.wish, refuses(dial.wish.peer));
  if (!choice) return false;
  dial.begun = true;
  std::vector<Multiaddr> plain, named;
  for (Multiaddr& address : choice->wanted) (is_named(address) ? named : plain).push_back(std::move(address));
  dial.machine = Dial(std::move(plain), now);
  pass_over(now, dial, *choice);
  for (const Multiaddr& address : named) look_up(now, id, address);
  return true;
}

void Dialer::look_up(Instant now, DialId id, const Multiaddr& address) {
  Pending& dial = dials_.at(id);
  if (dial.lookups.size() == kDialAddressesMax || dial.lookups.contains(address)) return;
  dial.lookups.emplace(address, Lookup{dial.report.started(now, address)});
  dial.machine.expect_name();
  // Of a /dnsaddr those records are meant that end so.
  const PeerId& peer = dial.wish.peer;
  const Multiaddr asked = peer.empty() ? address : address.with_peer_id(peer);
  names_->resolve(now, {asked}, [this, id, address](Instant at, Result<std::vector<Multiaddr>> found) {
    on_resolved(at, id, address, std::move(found));
  });
}

void Dialer::on_resolved(Instant now, DialId id, const Multiaddr& address,
                         Result<std::vector<Multiaddr>> found) {
  const auto it = dials_.find(id);
  if (it == dials_.end()) return;  // it ended without it
  Pending& dial = it->second;
  const PeerId& peer = dial.wish.peer;
  if (found) {
    std::erase_if(*found, [this](const Multiaddr& each) { return each.peer_id() == self_; });
    if (found->empty()) found = std::unexpected(kSelf);
  }
  Lookup& lookup = dial.lookups.at(address);
  lookup.over = true;
  const Error why = found ? Error{Code::kOk, 0, ""} : found.error();
  dial.report.ended(now, lookup.entry, DialStage::kResolving, why);
  if (found) {
    if (!peer.empty()) {
      for (Multiaddr& each : *found) each = each.without_peer_id();
    }
    auto choice = chooser_.choose_of_name(now, dial.wish, address, *found, refuses(peer));
    pass_over(now, dial, choice);
    dial.machine.name_resolved(choice.wanted, now);
  } else {
    host_.on_attempt_failed(peer, address, why);
    dial.machine.name_failed(why);
  }
  advance(now, id);
}

void Dialer::pass_over(Instant now, Pending& dial, const AddressChooser::Choice& choice) {
  dial.held_back.insert(dial.held_back.end(), choice.held_back.begin(), choice.held_back.end());
  for (const AddressChooser::Skip& each : choice.skipped) {
    skip(now, dial, each);
    dial.machine.skipped(each.why);
  }
}

void Dialer::skip(Instant now, Pending& dial, const AddressChooser::Skip& skip) {
  dial.report.skipped(now, skip.address, skip.stage, skip.why);
  host_.on_attempt_failed(dial.wish.peer, skip.address, skip.why);
}

void Dialer::advance(Instant now, DialId id) {
  for (;;) {
    const auto it = dials_.find(id);
    if (it == dials_.end()) return;
    Pending& dial = it->second;
    if (!dial.begun && !begin(now, id, dial)) return;
    if (dial.machine.exhausted()) return finish(now, id, std::unexpected(dial.machine.error()));
    const Multiaddr* address = dial.machine.candidate(now);
    if (address == nullptr || !start_attempt(now, id, dial, *address)) return;
  }
}

Transport* Dialer::transport_for(const Multiaddr& address) const {
  const auto it = std::ranges::find_if(transports_, [&](const Transport* t) { return t->dials(address); });
  return it == transports_.end() ? nullptr : *it;
}

AddressChooser::Refuses Dialer::refuses(const PeerId& peer) const {
  return [this, peer](const Multiaddr& address) { return refuse(peer, address); };
}

std::optional<AddressChooser::Skip> Dialer::refuse(const PeerId& peer, const Multiaddr& address) const {
  if (const auto allowed = host_.may_try(peer, address); !allowed) {
    return AddressChooser::Skip{address, DialStage::kSkippedGated, allowed.error()};
  }
  if (!is_named(address) && transport_for(address) == nullptr) {
    return AddressChooser::Skip{address, DialStage::kSkippedNoTransport, kNoTransport};
  }
  return std::nullopt;
}

bool Dialer::start_attempt(Instant now, DialId id, Pending& dial, const Multiaddr& candidate) {
  const Multiaddr address = candidate.without_peer_id();
  // Whoever answers; but a record of a name may have said who that is.
  const PeerId expected = dial.wish.peer.empty() ? candidate.peer_id().value_or(PeerId{}) : dial.wish.peer;
  auto refused = refuse(dial.wish.peer, address);  // rules change, and some addresses come late
  Result<Connection*> connection = nullptr;
  if (!refused) connection = transport_for(address)->dial(now, {address, expected, true});
  if (!connection) {
    if (connection.error().code == Code::kWouldBlock) return false;
    const bool limit = connection.error().code <= Code::kLimitConnections;
    refused = {address, limit ? DialStage::kSkippedLimit : DialStage::kConnecting, connection.error()};
  }
  if (refused) {
    skip(now, dial, *refused);
    dial.machine.failed_to_start(now, refused->why);
    return true;
  }
  dial.machine.started(now);
  const ConnectionId cid = (*connection)->id();
  dial.attempts.push_back(cid);
  attempts_.emplace(cid, Attempt{id, *connection, candidate, address, dial.report.started(now, address)});
  return true;
}

void Dialer::finish(Instant now, DialId id, Result<Connection*> result) {
  auto node = dials_.extract(id);
  Pending& dial = node.mapped();
  drop_attempts(now, dial, result.has_value());
  const PeerId wanted = dial.wish.peer;
  if (const auto peer = by_peer_.find(wanted); peer != by_peer_.end() && peer->second == id) by_peer_.erase(peer);
  const Error error = result ? Error{Code::kOk, 0, ""} : result.error();
  const auto report = dial.report.finish(now, result ? (*result)->peer() : wanted, error);
  for (DialDone& done : dial.waiters) done(now, result, *report);
  host_.on_dial_ended(now, report, result.value_or(nullptr));
}

void Dialer::drop_attempts(Instant now, Pending& dial, bool reached) {
  for (const auto& [address, lookup] : dial.lookups) {
    if (!lookup.over) dial.report.ended(now, lookup.entry, DialStage::kResolving, reached ? kFaster : kNoMore);
  }
  for (const ConnectionId id : dial.attempts) {
    const auto it = attempts_.find(id);
    if (it == attempts_.end() || it->second.dial == 0) continue;
    Attempt& attempt = it->second;
    attempt.dial = 0;
    const DialStage stage = attempt.connection->stage();
    dial.report.ended(now, attempt.entry, stage, reached ? kFaster : kNoMore);
    if (reached) chooser_.was_slower(attempt.address, stage);
    // An address that was added later may have won; what has begun on this one goes on.
    if ((reached || closing_) && host_.has_early_streams(*attempt.connection)) continue;
    attempt.connection->close(reached ? wire_code::kConnSupplanted : wire_code::kNone,
                              reached ? kFaster.why : kNoMore.why);
  }
}

void Dialer::restart_attempts(Instant now, Pending& dial) {
  // The last first, since each is put before the others.
  for (auto id = dial.attempts.rbegin(); id != dial.attempts.rend(); ++id) {
    const auto it = attempts_.find(*id);
    if (it == attempts_.end() || it->second.dial == 0) continue;
    Attempt& attempt = it->second;
    if (host_.has_early_streams(*attempt.connection)) continue;  // they would go down with it
    attempt.dial = 0;
    dial.report.ended(now, attempt.entry, attempt.connection->stage(), kMoved);
    dial.machine.start_again(attempt.candidate, now);
    attempt.connection->close(wire_code::kNone, kMoved.why);
  }
  std::erase_if(dial.attempts, [this](ConnectionId each) { return !wants(each); });
}

// --- all of them

void Dialer::network_changed(Instant now) {
  for (auto& [id, dial] : dials_) restart_attempts(now, dial);
  advance(now);
}

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
  const auto attempt = attempts_.extract(connection.id());
  if (attempt.empty()) return;
  const Attempt& won = attempt.mapped();
  chooser_.worked(connection.peer(), won.address);
  if (won.dial == 0) return;
  dials_.at(won.dial).report.ended(now, won.entry, DialStage::kConnected, {Code::kOk, 0, ""});
  finish(now, won.dial, &connection);
}

void Dialer::refused(Instant now, Connection& connection, const Error& why) {
  const auto it = attempts_.find(connection.id());
  if (it == attempts_.end() || it->second.dial == 0) return;
  const DialId dial = std::exchange(it->second.dial, 0);
  const DialStage stage = why.code == Code::kGated                ? DialStage::kSkippedGated
                          : why.code <= Code::kLimitConnections ? DialStage::kSkippedLimit
                                                                : DialStage::kSecuring;
  dials_.at(dial).report.ended(now, it->second.entry, stage, why);
  finish(now, dial, std::unexpected(why));
}

void Dialer::closed(Instant now, Connection& connection, const Error& why) {
  const auto attempt = attempts_.extract(connection.id());
  if (attempt.empty()) return;
  const Attempt& lost = attempt.mapped();
  const auto it = dials_.find(lost.dial);
  if (it == dials_.end()) return;
  Pending& dial = it->second;
  const DialStage stage = connection.stage();
  chooser_.failed(now, dial.wish.peer, lost.address, stage, why);
  dial.report.ended(now, lost.entry, stage, stream_error(why));
  host_.on_attempt_failed(dial.wish.peer, connection.remote_address(), why);
  dial.machine.attempt_failed(now, stream_error(why));
  advance(now, lost.dial);
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
