#include "node/sockets.hpp"

#include <algorithm>
#include <utility>

namespace p2pa {
namespace {

constexpr std::uint64_t kInterfacesEffect = ~std::uint64_t{0};

constexpr const char* kListenable = "only /udp/…/quic-v1 and /tcp/… addresses can be listened on";

/// Can a datagram from a socket bound to `local` reach `remote`?
bool reaches(const IpAddress& local, const IpAddress& remote) {
  if (local.v6 != remote.v6) return false;
  return local.is_unspecified() || local.is_loopback() == remote.is_loopback();
}

}  // namespace

void Sockets::bind(Kind kind, const IpEndpoint& local, bool listens) {
  const SocketId id = numbers_.next();
  sockets_.push_back({id, kind, State::kBinding, listens, local});
  Effect effect{};
  effect.kind = kind == Kind::kUdp ? Effect::Kind::kBindUdp : Effect::Kind::kListenTcp;
  effect.id = id;
  effect.socket = id;
  effect.local = local;
  effects_.push_back(std::move(effect));
}

Multiaddr Sockets::address_of(Kind kind, const IpEndpoint& local) {
  return kind == Kind::kUdp ? quic_multiaddr(local) : tcp_multiaddr(local);
}

Result<void> Sockets::listen(const Multiaddr& address) {
  const auto udp = quic_endpoint(address), tcp = tcp_endpoint(address);
  if (!udp && !tcp) return fail(Code::kUnsupported, kListenable);
  const IpEndpoint& endpoint = udp ? *udp : *tcp;
  const auto count = std::ranges::count(sockets_, true, &Socket::listens);
  if (static_cast<std::size_t>(count) >= kListenAddressesMax) {
    return fail(Code::kLimitConnections, "too many listen addresses", kListenAddressesMax);
  }
  bind(udp ? Kind::kUdp : Kind::kTcp, endpoint, true);
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

Result<SocketId> Sockets::socket_for(const IpEndpoint& remote) {
  bool binding = false;
  const Socket* bound = nullptr;
  const Socket* failed_dial_socket = nullptr;
  for (const Socket& s : sockets_) {
    if (s.kind != Kind::kUdp || !reaches(s.local.ip, remote.ip)) continue;
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
  bind(Kind::kUdp, any, false);
  return fail(Code::kWouldBlock, "a socket is being bound");
}

Sockets::Outcome Sockets::done(const EffectDone& effect) {
  Outcome outcome;
  if (effect.id == kInterfacesEffect) {
    listing_ = false;
    if (!effect.result) return outcome;
    outcome.interfaces_changed = !interfaces_.empty() && interfaces_ != effect.addresses;
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
  outcome.address = address_of(it->kind, it->local);
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
  if (it->kind == Kind::kUdp) quic_.add_socket(it->id, it->local, it->listens);
  outcome.listening = it->listens;
  outcome.address = address_of(it->kind, it->local);
  return outcome;
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
      out.push_back(address_of(s.kind, s.local));
      continue;
    }
    for (const IpAddress& ip : interfaces_) {
      if (ip.v6 != s.local.ip.v6 || ip.is_link_local()) continue;
      out.push_back(address_of(s.kind, {ip, s.local.port, 0}));
    }
  }
  return out;
}

void Sockets::close(Instant now) {
  for (const Socket& s : sockets_) {
    if (s.state != State::kBound) continue;
    if (s.kind == Kind::kUdp) quic_.remove_socket(now, s.id);
    ask_to_close(s);
  }
  std::erase_if(sockets_, [](const Socket& s) { return s.state != State::kBinding; });
  closed_ = true;
}

void Sockets::ask_to_close(const Socket& socket) {
  Effect effect{};
  effect.kind = socket.kind == Kind::kUdp ? Effect::Kind::kCloseUdp : Effect::Kind::kCloseListener;
  effect.socket = socket.id;
  effects_.push_back(std::move(effect));
}

}  // namespace p2pa
