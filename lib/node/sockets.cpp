#include "node/sockets.hpp"

#include <algorithm>
#include <utility>

#include "node/check_options.hpp"

namespace p2pa {
namespace {

constexpr std::uint64_t kInterfacesEffect = ~std::uint64_t{0};

/// Can a datagram from a socket bound to `local` reach `remote`?
bool reaches(const IpAddress& local, const IpAddress& remote) {
  if (local.v6 != remote.v6) return false;
  return local.is_unspecified() || local.is_loopback() == remote.is_loopback();
}

}  // namespace

Multiaddr Sockets::Socket::address(const IpEndpoint& at) const {
  switch (runs) {
    case Runs::kQuic: return quic_multiaddr(at);
    case Runs::kUdp: return udp_multiaddr(at);
    case Runs::kTcp: break;
  }
  return tcp::address_of(*road, at);
}

void Sockets::bind(Runs runs, std::optional<tcp::Road> road, const IpEndpoint& local, bool listens) {
  const SocketId id = numbers_.next();
  Effect effect{};
  effect.kind = runs == Runs::kTcp ? Effect::Kind::kListenTcp : Effect::Kind::kBindUdp;
  effect.id = id;
  effect.socket = id;
  effect.local = local;
  effects_.push_back(std::move(effect));
  sockets_.push_back({id, runs, std::move(road), State::kBinding, listens, local});
}

Result<void> Sockets::listen(const Multiaddr& address) {
  if (auto fine = check_listen(address, options_); !fine) return fine;
  auto road = tcp::road_to(address);
  const auto quic = quic_endpoint(address);
  const Runs runs = road ? Runs::kTcp : quic ? Runs::kQuic : Runs::kUdp;
  const IpEndpoint endpoint = road ? road->remote : quic ? *quic : *udp_endpoint(address);
  const auto count = std::ranges::count(sockets_, true, &Socket::listens);
  if (static_cast<std::size_t>(count) >= kListenAddressesMax) {
    return fail(Code::kLimitConnections, "too many listen addresses", kListenAddressesMax);
  }
  bind(runs, std::move(road), endpoint, true);
  if (endpoint.ip.is_unspecified()) list_interfaces();
  return {};
}

void Sockets::list_interfaces() {
  if (std::exchange(listing_, true)) return;
  Effect effect{};
  effect.kind = Effect::Kind::kListInterfaces;
  effect.id = kInterfacesEffect;
  effects_.push_back(std::move(effect));
}

bool Sockets::listens_on_loopback() const {
  return std::ranges::any_of(sockets_, [](const Socket& s) {
    return s.listens && s.state == State::kBound && s.local.ip.is_loopback();
  });
}

bool Sockets::present(const IpAddress& local) const {
  if (!interfaces_known_ || local.is_unspecified() || local.is_loopback()) return true;
  return std::ranges::find(interfaces_, local, &InterfaceAddress::ip) != interfaces_.end();
}

Result<SocketId> Sockets::socket_for(Runs runs, const IpEndpoint& remote) {
  bool binding = false;
  const Socket* bound = nullptr;
  const Socket* failed_dial_socket = nullptr;
  for (const Socket& s : sockets_) {
    if (s.runs != runs || !reaches(s.local.ip, remote.ip) || !present(s.local.ip)) continue;
    if (s.state == State::kBound && (bound == nullptr || s.listens > bound->listens)) bound = &s;
    if (s.state == State::kBinding) binding = true;
    if (s.state == State::kFailed && !s.listens) failed_dial_socket = &s;
  }
  if (bound != nullptr) return bound->id;
  if (binding) return fail(Code::kWouldBlock, "a socket is being bound");
  if (failed_dial_socket != nullptr) {
    const Error error = failed_dial_socket->error;
    std::erase_if(sockets_, [&](const Socket& s) { return &s == failed_dial_socket; });
    return std::unexpected(error);  // the next dial tries again
  }
  IpEndpoint any{};
  any.ip.v6 = remote.ip.v6;
  bind(runs, std::nullopt, any, false);
  return fail(Code::kWouldBlock, "a socket is being bound");
}

Sockets::Outcome Sockets::done(const EffectDone& effect) {
  Outcome outcome;
  if (effect.id == kInterfacesEffect) {
    listing_ = false;
    outcome.interfaces_known = true;
    if (!effect.result) return outcome;
    outcome.interfaces_changed = std::exchange(interfaces_known_, true) && interfaces_ != effect.addresses;
    interfaces_ = effect.addresses;
    return outcome;
  }
  const auto it = std::ranges::find(sockets_, static_cast<SocketId>(effect.id), &Socket::id);
  if (it == sockets_.end() || it->state != State::kBinding) return outcome;
  if (closed_) {
    if (effect.result) ask_to_close(*it);
    sockets_.erase(it);
    return outcome;
  }
  outcome.sockets_changed = true;
  outcome.address = it->address(it->local);
  if (!effect.result) {
    it->state = State::kFailed;
    it->error = effect.result.error();
    outcome.failed = it->listens;
    outcome.error = it->error;
    if (it->listens) sockets_.erase(it);
    return outcome;
  }
  it->state = State::kBound;
  it->local = effect.local;
  on_bound(*it);
  outcome.listening = it->listens;
  outcome.address = it->address(it->local);
  return outcome;
}

void Sockets::on_bound(const Socket& socket) {
  switch (socket.runs) {
    case Runs::kQuic: return quic_.add_socket(socket.id, socket.local, socket.listens);
    case Runs::kUdp: return udp_.add_socket(socket.id, socket.local, socket.listens);
    case Runs::kTcp: return tcp_.add_listener(socket.id, *socket.road);
  }
}

bool Sockets::poll_effect(Effect& out) {
  if (effects_.empty()) return false;
  out = std::move(effects_.front());
  effects_.pop_front();
  return true;
}

std::vector<Multiaddr> Sockets::addresses() const {
  std::vector<Multiaddr> out;
  for (const Socket& s : sockets_) {
    if (!s.listens || s.state != State::kBound) continue;
    if (!s.local.ip.is_unspecified()) {
      if (!present(s.local.ip)) continue;
      out.push_back(s.address(s.local));
      continue;
    }
    for (const InterfaceAddress& interface : interfaces_) {
      const IpAddress& ip = interface.ip;
      if (ip.v6 != s.local.ip.v6 || ip.is_link_local()) continue;
      out.push_back(s.address({ip, s.local.port, 0}));
    }
  }
  return out;
}

void Sockets::close(Instant now) {
  for (const Socket& s : sockets_) {
    if (s.state != State::kBound) continue;
    remove(now, s);
    ask_to_close(s);
  }
  std::erase_if(sockets_, [](const Socket& s) { return s.state != State::kBinding; });
  closed_ = true;
}

void Sockets::remove(Instant now, const Socket& socket) {
  switch (socket.runs) {
    case Runs::kQuic: return quic_.remove_socket(now, socket.id);
    case Runs::kUdp: return udp_.remove_socket(now, socket.id);
    case Runs::kTcp: return tcp_.remove_listener(socket.id);
  }
}

void Sockets::ask_to_close(const Socket& socket) {
  Effect effect{};
  effect.kind = socket.runs == Runs::kTcp ? Effect::Kind::kCloseListener : Effect::Kind::kCloseUdp;
  effect.socket = socket.id;
  effects_.push_back(std::move(effect));
}

}  // namespace p2pa
