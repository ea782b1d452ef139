#pragma once
// Whole nodes joined in memory, in virtual time. Unlike in a sim::World nothing happens by itself: who
// holds a Lan decides what becomes of each datagram and of each effect, and when a node has its turn.

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/assert.hpp"
#include "node/core.hpp"

namespace p2pa::test {

class LanHost;

/// A datagram that was sent and has not arrived.
struct Flight {
  IpEndpoint from, to;
  Ecn ecn = Ecn::kNone;
  Bytes bytes;
};

struct Lan {
  Instant now{1'000'000'000};
  std::vector<LanHost*> hosts;
  void route(Flight flight);
};

/// The machine that one core runs on: its sockets, what has come for it, and what it asked for.
class LanHost final {
 public:
  /// Datagrams that wait; one more and the oldest is lost.
  static constexpr std::size_t kInboxMax = 256;
  /// A core that goes on for longer in one instant is broken.
  static constexpr int kStepsMax = 10'000;
  static constexpr std::uint8_t kPrefixBits = 24;

  /// `number` is the last byte of its only address. The core outlives it.
  LanHost(Lan& lan, NodeCore& core, std::uint8_t number) : lan_(lan), core_(core) {
    ip_.bytes = {192, 0, 2, number};
    lan_.hosts.push_back(this);
  }
  LanHost(const LanHost&) = delete;
  LanHost& operator=(const LanHost&) = delete;
  ~LanHost() { std::erase(lan_.hosts, this); }

  const IpAddress& ip() const { return ip_; }
  bool has(const IpEndpoint& to) const { return to.ip == ip_ && socket_of(to.port) != 0; }

  /// A datagram reaches the core, as one batch of equal segments.
  void deliver(const Flight& flight, std::size_t segment_size) {
    core_.handle(lan_.now, InboundDatagram{.socket = socket_of(flight.to.port),
                                           .local = {ip_, flight.to.port},
                                           .remote = flight.from,
                                           .ecn = flight.ecn,
                                           .segment_size = segment_size,
                                           .bytes = flight.bytes});
  }
  /// An effect is done, or fails.
  void complete(const Effect& effect, bool well) {
    EffectDone done{.id = effect.id, .result = {}, .local = {}, .addresses = {}};
    if (effect.kind == Effect::Kind::kListInterfaces) {
      done.addresses = {{ip_, kPrefixBits}};
    } else if (!well || effect.local.ip.v6) {
      done.result = fail(Code::kIo, "the address is not of this machine");
    } else {
      done.local = effect.local;
      while (done.local.port == 0 || socket_of(done.local.port) != 0) done.local.port = next_port_++;
      sockets_[effect.socket] = done.local.port;
    }
    core_.handle(lan_.now, std::move(done));
  }
  /// One turn, and what it brings out.
  bool turn() {
    const bool more = core_.turn(lan_.now);
    drain();
    return more;
  }
  /// Everything that a driver does when it is called, until nothing is left to do now.
  void run() {
    for (int steps = 0;; ++steps) {
      P2PA_ASSERT(steps < kStepsMax);
      while (!inbox.empty()) {
        const Flight flight = std::move(inbox.front());
        inbox.pop_front();
        deliver(flight, flight.bytes.size());
      }
      while (!effects.empty()) {
        const Effect effect = std::move(effects.front());
        effects.pop_front();
        complete(effect, true);
      }
      if (core_.next_deadline() <= lan_.now) core_.on_deadline(lan_.now);
      if (!turn() && inbox.empty() && effects.empty()) return;
    }
  }

  std::deque<Flight> inbox;
  std::deque<Effect> effects;  ///< those that want an answer
  std::deque<Flight> recent;   ///< the last ones it sent

 private:
  SocketId socket_of(std::uint16_t port) const {
    for (const auto& [id, bound] : sockets_) {
      if (bound == port) return id;
    }
    return 0;
  }
  void drain() {
    Effect effect{};
    while (core_.poll_effect(effect)) {
      if (effect.kind == Effect::Kind::kCloseUdp) sockets_.erase(effect.socket);
      if (effect.kind == Effect::Kind::kBindUdp || effect.kind == Effect::Kind::kListInterfaces) {
        effects.push_back(std::move(effect));
      }
      effect = Effect{};
    }
    Transmit transmit{};
    for (int count = 0; core_.poll_transmit(lan_.now, buffer_, {.segments_max = 8}, transmit); ++count) {
      P2PA_ASSERT(count < kStepsMax);
      P2PA_ASSERT(transmit.size > 0 && transmit.segment_size > 0 && transmit.size <= buffer_.size());
      const auto bound = sockets_.find(transmit.socket);
      P2PA_ASSERT(bound != sockets_.end());
      for (std::size_t at = 0; at < transmit.size; at += transmit.segment_size) {
        const ByteView part = ByteView(buffer_).subspan(at, std::min(transmit.segment_size, transmit.size - at));
        Flight flight{{ip_, bound->second}, transmit.remote, transmit.ecn, Bytes(part.begin(), part.end())};
        recent.push_back(flight);
        if (recent.size() > 16) recent.pop_front();
        lan_.route(std::move(flight));
      }
    }
  }

  Lan& lan_;
  NodeCore& core_;
  IpAddress ip_;
  std::map<SocketId, std::uint16_t> sockets_;
  std::uint16_t next_port_ = 40'000;
  Bytes buffer_ = Bytes(65'536);
};

inline void Lan::route(Flight flight) {
  for (LanHost* host : hosts) {
    if (!host->has(flight.to)) continue;
    host->inbox.push_back(std::move(flight));
    if (host->inbox.size() > LanHost::kInboxMax) host->inbox.pop_front();
    return;
  }
}

}  // namespace p2pa::test
