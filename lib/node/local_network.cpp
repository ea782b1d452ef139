#include "node/local_network.hpp"

#include <algorithm>
#include <utility>

namespace p2pa {

LocalNetwork::LocalNetwork(const NodeOptions& options, SocketNumbers& numbers, Rng& rng, lan::Admission admission,
                           lan::Deliver deliver)
    : options_(options),
      numbers_(numbers),
      rng_(rng),
      admission_(std::move(admission)),
      deliver_(std::move(deliver)) {}

Result<lan::Lan*> LocalNetwork::use(Instant now) {
  if (closed_) return fail(Code::kClosed, "the node is closed");
  if (lan_) return lan_.get();
  lan_ = std::make_unique<lan::Lan>(*options_.key, options_.lan, options_.network_key, rng_, now, admission_, deliver_);
  if (interfaces_) lan_->set_interfaces(*interfaces_);
  for (const bool v6 : {false, true}) {
    bind(v6, true);
    bind(v6, false);
  }
  return lan_.get();
}

void LocalNetwork::bind(bool v6, bool group) {
  Effect effect{};
  effect.kind = Effect::Kind::kBindUdp;
  effect.id = effect.socket = numbers_.next();
  effect.local.ip.v6 = v6;
  effect.local.port = group ? options_.lan.port : std::uint16_t{0};
  effect.lan = true;
  sockets_.push_back({effect.socket, v6, group});
  effects_.push_back(std::move(effect));
  ++binding_;
}

void LocalNetwork::join(const Socket& socket) {
  Effect effect{};
  effect.kind = Effect::Kind::kJoinGroup;
  effect.socket = socket.id;
  effect.remote.ip = lan::group(socket.v6);
  effects_.push_back(std::move(effect));
}

void LocalNetwork::set_interfaces(const std::vector<InterfaceAddress>& interfaces) {
  interfaces_ = interfaces;
  if (!lan_) return;
  lan_->set_interfaces(interfaces);
  for (const Socket& socket : sockets_) {
    if (socket.group && socket.bound) join(socket);
  }
  set_ready();
}

void LocalNetwork::set_ready() {
  if (binding_ == 0 && interfaces_) lan_->set_ready();
}

bool LocalNetwork::poll_effect(Effect& out) {
  if (effects_.empty()) return false;
  out = std::move(effects_.front());
  effects_.pop_front();
  return true;
}

bool LocalNetwork::owns(const EffectDone& effect) const {
  return std::ranges::any_of(sockets_, [&](const Socket& s) { return s.id == effect.id; });
}

Result<void> LocalNetwork::done(const EffectDone& effect) {
  const auto it = std::ranges::find(sockets_, static_cast<SocketId>(effect.id), &Socket::id);
  --binding_;
  if (effect.result && closed_) {
    Effect close{};
    close.kind = Effect::Kind::kCloseUdp;
    close.socket = it->id;
    effects_.push_back(std::move(close));
    return {};
  }
  if (closed_) return {};
  it->bound = effect.result.has_value();
  if (it->bound && it->group) {
    lan_->set_group_socket(it->v6, it->id);
    join(*it);
  } else if (it->bound) {
    lan_->set_own_socket(it->v6, it->id);
  }
  set_ready();
  // A host without IPv6 is no failure.
  if (binding_ != 0 || std::ranges::any_of(sockets_, [](const Socket& s) { return s.group && s.bound; })) return {};
  return effect.result ? fail(Code::kIo, "the port of the local network cannot be bound") : effect.result;
}

Multiaddr LocalNetwork::address() const {
  return *Multiaddr::parse("/ip4/0.0.0.0/udp/" + std::to_string(options_.lan.port));
}

void LocalNetwork::close() {
  closed_ = true;
  if (!lan_) return;
  last_ = lan_->counters();
  for (const Socket& socket : sockets_) {
    if (!socket.bound) continue;
    Effect close{};
    close.kind = Effect::Kind::kCloseUdp;
    close.socket = socket.id;
    effects_.push_back(std::move(close));
  }
  lan_.reset();
}

}  // namespace p2pa
