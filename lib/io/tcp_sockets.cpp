#include "io/tcp_sockets.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/assert.hpp"

namespace p2pa::io {

struct TcpSockets::Socket {
  enum class State {
    kConnecting,
    kOpen,
    kFlushing,  ///< the core has finished it: our end follows what waits
    kDraining,  ///< our end is sent: the peer's is awaited
  };

  TcpSockets& owner;
  const SocketId id;
  const std::unique_ptr<TcpSocket> tcp;
  IpEndpoint remote{};
  Watch* watch = nullptr;
  State state = State::kOpen;
  bool ready = false;  ///< in ready_
  bool ended = false;  ///< the peer sends no more
  std::optional<Error> broken{};  ///< it cannot be written to; told when all is read
  Bytes waiting{};     ///< of the last write, with `sent` bytes that the system took meanwhile
  std::size_t sent = 0;
  Sockets::iterator self{};

  bool known() const { return state == State::kConnecting || state == State::kOpen; }
};

TcpSockets::TcpSockets(UvLoop& loop, OnEvent on_event)
    : loop_(loop),
      on_event_(std::move(on_event)),
      buffer_(std::make_unique_for_overwrite<std::uint8_t[]>(kReadBytesMax)) {}

TcpSockets::~TcpSockets() {
  for (const Listener& listener : listeners_) loop_.unwatch(listener.watch);
  for (const Sockets* sockets : {&idle_, &ready_}) {
    for (const Socket& socket : *sockets) loop_.unwatch(socket.watch);
  }
}

// --- listeners

Result<IpEndpoint> TcpSockets::listen(SocketId id, const IpEndpoint& local) {
  auto tcp = TcpListener::listen(id, local);
  if (!tcp) return std::unexpected(tcp.error());
  listeners_.reserve(listeners_.size() + 1);  // nothing may fail between watching and keeping it
  auto watch = loop_.watch((*tcp)->fd());
  if (!watch) return std::unexpected(watch.error());
  listeners_.push_back({std::move(*tcp), *watch});
  return listeners_.back().tcp->local();
}

void TcpSockets::close_listener(SocketId id) {
  const auto it = std::ranges::find(listeners_, id, [](const Listener& l) { return l.tcp->id(); });
  if (it == listeners_.end()) return;
  loop_.unwatch(it->watch);
  listeners_.erase(it);
}

void TcpSockets::accept_from(Listener& listener, Instant now) {
  for (int count = 0; count < kAcceptsPerTurnMax; ++count) {
    auto accepted = listener.tcp->accept();
    if (!accepted) {
      listener.watch->readable = false;
      if (accepted.error().code != Code::kWouldBlock) pause(listener, now);
      return;
    }
    const auto socket = add(next_accepted(), std::move(accepted->socket));
    if (!socket) continue;  // closed: it cannot be watched
    on_event_({.kind = SocketEvent::Kind::kAccepted,
               .socket = (*socket)->id,
               .listener = listener.tcp->id(),
               .local = accepted->local,
               .remote = accepted->remote});
  }
}

/// Whoever waits would make the listener readable all the time, and accept() fail each time.
void TcpSockets::pause(Listener& listener, Instant now) {
  loop_.want(listener.watch, false, false);
  listener.resumes = now + kAcceptPause;
}

SocketId TcpSockets::next_accepted() {
  SocketId id = 0;
  do {
    id = next_accepted_++;
    if (next_accepted_ == 0) next_accepted_ = kAcceptedSockets;
  } while (known_.contains(id));
  return id;
}

// --- sockets that come and go

Result<TcpSockets::Socket*> TcpSockets::add(SocketId id, std::unique_ptr<TcpSocket> tcp) {
  const auto notify = [](void* socket) noexcept {
    auto& it = *static_cast<Socket*>(socket);
    it.owner.mark_ready(it);
  };
  idle_.emplace_back(*this, id, std::move(tcp));
  const auto self = std::prev(idle_.end());
  self->self = self;
  auto watch = loop_.watch(self->tcp->fd(), notify, &*self);
  if (!watch) {
    idle_.erase(self);
    return std::unexpected(watch.error());
  }
  self->watch = *watch;
  known_.emplace(id, &*self);
  return &*self;
}

TcpSockets::Socket* TcpSockets::find(SocketId id) {
  const auto it = known_.find(id);
  return it == known_.end() ? nullptr : it->second;
}

void TcpSockets::connect(SocketId id, const IpEndpoint& remote) {
  P2PA_ASSERT(id != 0 && id < kAcceptedSockets && !known_.contains(id));
  const auto begin = [&]() -> Result<Socket*> {
    auto tcp = TcpSocket::connect(remote);
    if (!tcp) return std::unexpected(tcp.error());
    return add(id, std::move(*tcp));
  };
  const auto socket = begin();
  if (!socket) {
    on_event_({.kind = SocketEvent::Kind::kLost, .socket = id, .error = socket.error()});
    return;
  }
  (*socket)->remote = remote;
  (*socket)->state = Socket::State::kConnecting;
  watch_for(**socket);
}

void TcpSockets::reset(SocketId id) {
  Socket* const socket = find(id);
  if (socket == nullptr) return;
  socket->tcp->reset_when_closed();
  close(*socket);
}

void TcpSockets::close(Socket& socket) {
  if (socket.known()) known_.erase(socket.id);
  lingering_.cancel(&socket);
  if (last_ == &socket) last_ = nullptr;
  loop_.unwatch(socket.watch);
  (socket.ready ? ready_ : idle_).erase(socket.self);
}

void TcpSockets::lose(Socket& socket, Error why) {
  const bool known = socket.known();
  const SocketId id = socket.id;
  close(socket);
  if (known) on_event_({.kind = SocketEvent::Kind::kLost, .socket = id, .error = why});
}

void TcpSockets::tell(SocketEvent::Kind kind, const Socket& socket) {
  on_event_({.kind = kind, .socket = socket.id});
}

// --- one socket's turn

void TcpSockets::mark_ready(Socket& socket) {
  if (socket.ready) return;
  socket.ready = true;
  ready_.splice(ready_.end(), idle_, socket.self);
}

void TcpSockets::work(Instant now) {
  for (Listener& listener : listeners_) {
    if (listener.watch->readable) accept_from(listener, now);
  }
  for (std::size_t left = std::min(ready_.size(), kServedPerTurnMax); left > 0; --left) {
    Socket& socket = ready_.front();
    idle_.splice(idle_.end(), ready_, socket.self);
    socket.ready = false;
    serve(socket, now);
  }
}

bool TcpSockets::has_work() const {
  const auto waits = [](const Listener& l) { return l.watch->readable; };
  return !ready_.empty() || std::ranges::any_of(listeners_, waits);
}

void TcpSockets::serve(Socket& socket, Instant now) {
  if (socket.state == Socket::State::kConnecting) return finish_connecting(socket);
  if (socket.watch->writable && !write_more(socket, now)) return;
  if (socket.watch->readable && !socket.ended) read(socket);
}

void TcpSockets::finish_connecting(Socket& socket) {
  const auto local = socket.tcp->finish_connecting();
  if (!local) return lose(socket, local.error());
  socket.state = Socket::State::kOpen;
  watch_for(socket);
  on_event_({.kind = SocketEvent::Kind::kConnected,
             .socket = socket.id,
             .local = *local,
             .remote = socket.remote});
}

/// What the state, the peer's end and what waits make of it. After its end the peer's side would be
/// readable all the time.
void TcpSockets::watch_for(Socket& socket) {
  const bool connecting = socket.state == Socket::State::kConnecting;
  loop_.want(socket.watch, !connecting && !socket.ended, connecting || !socket.waiting.empty());
}

bool TcpSockets::receive_again() {
  return last_ != nullptr && !last_->broken && read(*last_);
}

/// False: nothing was there.
bool TcpSockets::read(Socket& socket) {
  const auto input = socket.tcp->receive({buffer_.get(), kReadBytesMax});
  const bool failed = socket.broken || !input;
  socket.watch->readable = false;
  if (failed && (!input || input->size == 0)) {
    lose(socket, socket.broken ? *socket.broken : input.error());
    return true;
  }
  if (input->end) {
    note_end(socket);
    return true;
  }
  if (input->size == 0) {
    if (socket.watch->failed) watch_for(socket);
    return false;
  }
  // Less than there was room for: the loop will tell of more, unless it has given up on the socket.
  if (input->size == kReadBytesMax || socket.watch->failed || failed) {
    socket.watch->readable = true;
    mark_ready(socket);
  }
  if (socket.known()) {
    last_ = &socket;
    on_event_({.kind = SocketEvent::Kind::kBytes,
               .socket = socket.id,
               .bytes = {buffer_.get(), input->size}});
  }
  return true;
}

void TcpSockets::note_end(Socket& socket) {
  if (socket.state == Socket::State::kDraining) return close(socket);
  socket.ended = true;
  if (last_ == &socket) last_ = nullptr;
  watch_for(socket);
  if (socket.known()) tell(SocketEvent::Kind::kEnd, socket);
}

// --- writing

void TcpSockets::write(SocketId id, ByteView bytes) {
  Socket* const socket = find(id);
  if (socket == nullptr || socket->broken) return;  // the core hears, or has heard, that it is lost
  P2PA_ASSERT(socket->state == Socket::State::kOpen && socket->waiting.empty());
  P2PA_ASSERT(bytes.size() <= kWriteBytesMax);
  const auto taken = socket->tcp->send(bytes);
  if (!taken) return note_broken(*socket, taken.error());
  if (*taken == bytes.size()) return tell(SocketEvent::Kind::kWritten, *socket);
  const ByteView rest = bytes.subspan(*taken);
  socket->waiting.assign(rest.begin(), rest.end());
  socket->sent = 0;
  watch_for(*socket);
}

bool TcpSockets::write_more(Socket& socket, Instant now) {
  socket.watch->writable = false;
  if (socket.waiting.empty()) return true;
  const auto taken = socket.tcp->send(ByteView(socket.waiting).subspan(socket.sent));
  if (!taken) {
    note_broken(socket, taken.error());
    return false;
  }
  socket.sent += *taken;
  const bool lingers = socket.state == Socket::State::kFlushing;
  if (lingers && *taken > 0) lingering_.set(&socket, now + kLingerTime);
  if (socket.sent < socket.waiting.size()) return true;
  socket.waiting = Bytes{};  // and its memory
  watch_for(socket);
  if (!lingers) {
    tell(SocketEvent::Kind::kWritten, socket);
    return true;
  }
  const bool goes = socket.ended;
  send_end(socket);
  return !goes;
}

/// What the peer said before it left is still told: reading finds where it stops.
void TcpSockets::note_broken(Socket& socket, const Error& why) {
  if (socket.ended || !socket.known()) return lose(socket, why);
  socket.broken = why;
  socket.waiting = Bytes{};
  watch_for(socket);
  socket.watch->readable = true;
  mark_ready(socket);
}

// --- the end of a socket

void TcpSockets::finish(SocketId id, Instant now) {
  Socket* const socket = find(id);
  if (socket == nullptr) return;
  if (socket->state == Socket::State::kConnecting || socket->broken) return close(*socket);
  known_.erase(id);
  socket->state = Socket::State::kFlushing;
  if (last_ == socket) last_ = nullptr;
  linger(*socket, now);
  if (socket->waiting.empty()) send_end(*socket);
}

/// To close it at once would reset it if the peer still sends, and then the peer may never read what we
/// said last.
void TcpSockets::linger(Socket& socket, Instant now) {
  if (lingering_.size() == kLingeringMax) close(**lingering_.pop_due(lingering_.next()));
  lingering_.set(&socket, now + kLingerTime);
}

void TcpSockets::send_end(Socket& socket) {
  socket.tcp->finish();
  if (socket.ended) return close(socket);
  socket.state = Socket::State::kDraining;
}

void TcpSockets::on_deadline(Instant now) {
  while (const auto socket = lingering_.pop_due(now)) close(**socket);
  for (Listener& listener : listeners_) {
    if (listener.resumes > now) continue;
    listener.resumes = kNever;
    loop_.want(listener.watch, true, false);
  }
}

Instant TcpSockets::next_deadline() const {
  Instant out = lingering_.next();
  for (const Listener& listener : listeners_) out = std::min(out, listener.resumes);
  return out;
}

}  // namespace p2pa::io
