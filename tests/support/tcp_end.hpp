#pragma once
// A TCP endpoint whose sockets are the test's: what happens to them is said by hand, and what the endpoint
// does to them is kept, and P2PA_ASSERTed to be what a driver may be asked for.

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/assert.hpp"
#include "support/transport_end.hpp"
#include "transport/tcp/endpoint.hpp"

namespace p2pa::test {

class TcpEnd final {
 public:
  static constexpr std::int64_t kUnixTime = 1'700'000'000;

  struct Socket {
    enum class State { kConnecting, kOpen, kFinished, kAborted, kLost };
    State state = State::kOpen;
    bool writing = false;  ///< until written() is said
    Bytes out{};           ///< written, and taken by nobody yet
  };

  TcpEnd(std::uint8_t seed, std::vector<Security> security, const Limits& limits = {})
      : key(KeyPair::from_seed(Bytes(32, seed))),
        resources(limits),
        rng_(Bytes(32, static_cast<std::uint8_t>(seed + 100))),
        endpoint(key, rng_, resources, numbers_, config(std::move(security))) {}

  bool swift = true;  ///< writes are answered at once
  bool eager = true;  ///< what an event brings about is done at once, and not at the next settle()

  Connection& dial(const PeerId& peer, const char* address = "/ip4/192.0.2.9/tcp/4001") {
    return **endpoint.dial(now, {*Multiaddr::parse(address), peer, true});
  }
  /// What is accepted from now on comes on such a road.
  void listen_on(const tcp::Road& road) { endpoint.add_listener(0, road); }
  SocketId accept(const char* remote = "192.0.2.8:5000") {
    const SocketId id = next_accepted_++;
    sockets[id] = {};
    SocketEvent event{.kind = SocketEvent::Kind::kAccepted, .socket = id};
    event.local = *IpEndpoint::parse("192.0.2.1:4001");
    event.remote = *IpEndpoint::parse(remote);
    handle(event);
    return id;
  }
  void connected(SocketId id) {
    sockets.at(id).state = Socket::State::kOpen;
    SocketEvent event{.kind = SocketEvent::Kind::kConnected, .socket = id};
    event.local = *IpEndpoint::parse("192.0.2.1:50000");
    handle(event);
  }
  void bytes(SocketId id, ByteView bytes) {
    handle({.kind = SocketEvent::Kind::kBytes, .socket = id, .bytes = bytes});
  }
  void end(SocketId id) { handle({.kind = SocketEvent::Kind::kEnd, .socket = id}); }
  void lost(SocketId id) {
    sockets.at(id).state = Socket::State::kLost;
    handle({.kind = SocketEvent::Kind::kLost, .socket = id, .error = {Code::kConnectionLost, 104, "reset"}});
  }
  void written(SocketId id) {
    sockets.at(id).writing = false;
    handle({.kind = SocketEvent::Kind::kWritten, .socket = id});
  }
  /// Time goes on to `at`, with every deadline on the way.
  void run_to(Instant at) {
    while (endpoint.next_deadline() <= at) {
      const Instant due = endpoint.next_deadline();
      now = std::max(now, due);
      endpoint.on_deadline(now);
      settle();
      P2PA_ASSERT(endpoint.next_deadline() > due);
    }
    now = at;
  }
  void run_for(Duration time) { run_to(now + time); }

  /// Hands out what happened, and takes what is to be done, until there is no more.
  void settle() {
    for (bool moved = true; moved;) {
      moved = false;
      TransportEvent event;
      while (endpoint.poll_event(event)) {
        moved = true;
        told.handle(now, event);
      }
      SocketRequest request;
      while (endpoint.poll_request(request)) {
        moved = true;
        on_request(request);
      }
      SocketWrite write;
      while (endpoint.poll_write(now, buffer_, write)) {
        moved = true;
        on_write(write);
      }
    }
    P2PA_ASSERT(!endpoint.has_requests());
  }

  Bytes take(SocketId id) { return std::exchange(sockets.at(id).out, {}); }
  Socket::State state(SocketId id) const { return sockets.at(id).state; }
  /// The newest that was asked to be connected.
  SocketId dialed() const {
    const auto it = sockets.lower_bound(kAcceptedSockets);
    P2PA_ASSERT(it != sockets.begin());
    return std::prev(it)->first;
  }
  bool is_unused() const { return endpoint.connections_count() == 0 && resources.usage() == LimitUsage{}; }

  const KeyPair key;
  Instant now{1'000'000'000};
  resource::Manager resources;
  std::map<SocketId, Socket> sockets;
  TransportEnd told;

 private:
  static tcp::Config config(std::vector<Security> security) {
    tcp::Config out;
    out.security = std::move(security);
    out.unix_time = kUnixTime;
    return out;
  }
  void handle(const SocketEvent& event) {
    endpoint.handle(now, event);
    if (eager) settle();
  }
  void on_request(const SocketRequest& request) {
    using Kind = SocketRequest::Kind;
    if (request.kind == Kind::kConnect) {
      P2PA_ASSERT(!sockets.contains(request.socket));
      sockets[request.socket].state = Socket::State::kConnecting;
      return;
    }
    Socket& socket = sockets.at(request.socket);
    if (socket.state == Socket::State::kLost) return;  // said before the endpoint could know
    const bool finish = request.kind == Kind::kFinish;
    const bool connecting = socket.state == Socket::State::kConnecting;
    P2PA_ASSERT(socket.state == Socket::State::kOpen || (connecting && !finish));
    P2PA_ASSERT(!finish || !socket.writing);
    socket.state = finish ? Socket::State::kFinished : Socket::State::kAborted;
  }
  void on_write(const SocketWrite& write) {
    Socket& socket = sockets.at(write.socket);
    P2PA_ASSERT(socket.state == Socket::State::kOpen && !socket.writing);
    P2PA_ASSERT(write.size > 0 && write.size <= buffer_.size());
    const ByteView bytes = ByteView(buffer_).first(write.size);
    socket.out.insert(socket.out.end(), bytes.begin(), bytes.end());
    if (swift) return endpoint.handle(now, {.kind = SocketEvent::Kind::kWritten, .socket = write.socket});
    socket.writing = true;
  }

  Rng rng_;
  SocketNumbers numbers_;
  SocketId next_accepted_ = kAcceptedSockets;
  Bytes buffer_ = Bytes(65'536);

 public:
  tcp::Endpoint endpoint;
};

/// Two endpoints and one connection between them, as fast as it is carried.
class TcpEnds final {
 public:
  using State = TcpEnd::Socket::State;

  TcpEnds(std::vector<Security> ours, std::vector<Security> theirs, const Limits& limits = {})
      : a(1, std::move(ours), limits), b(2, std::move(theirs), limits) {}

  /// Until both ends are up. The dialer's connection.
  Connection& connect(std::size_t cut = SIZE_MAX) {
    Connection& out = a.dial(b.key.peer_id());
    a.settle();
    join(a.dialed());
    run(cut);
    P2PA_ASSERT(out.established() && b.told.connection() != nullptr);
    return out;
  }
  /// The socket that `a` dialed reaches `b`.
  void join(SocketId dialed) {
    at_a = dialed;
    a.connected(dialed);
    at_b = b.accept();
    ended_.clear();
  }
  /// Carries all there is, in pieces of `cut`.
  void run(std::size_t cut = SIZE_MAX) {
    a.settle();
    b.settle();
    if (at_a == 0) return;
    for (bool moved = true; moved;) {
      moved = carry(a, at_a, b, at_b, cut);
      moved |= carry(b, at_b, a, at_a, cut);
    }
  }
  Connection& dialer() { return *a.told.connection(); }
  Connection& listener() { return *b.told.connection(); }

  TcpEnd a, b;
  SocketId at_a = 0, at_b = 0;

 private:
  bool carry(TcpEnd& from, SocketId source, TcpEnd& to, SocketId sink, std::size_t cut) {
    const Bytes bytes = from.take(source);
    for (std::size_t at = 0; at < bytes.size(); at += std::min(cut, bytes.size() - at)) {
      if (to.state(sink) != State::kOpen) break;
      to.bytes(sink, ByteView(bytes).subspan(at, std::min(cut, bytes.size() - at)));
    }
    const State state = from.state(source);
    if (to.state(sink) == State::kOpen && state != State::kOpen && ended_.insert(&from).second) {
      state == State::kFinished ? to.end(sink) : to.lost(sink);
      return true;
    }
    return !bytes.empty();
  }

  std::set<const TcpEnd*> ended_;  // and the other one knows
};

}  // namespace p2pa::test
