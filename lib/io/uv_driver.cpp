#include "io/uv_driver.hpp"

#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "base/assert.hpp"
#include "io/interfaces.hpp"
#include "io/multicast.hpp"
#include "io/read_file.hpp"

namespace p2pa::io {
namespace {

/// Bounds of one turn: what one socket may bring has its bound in ReceiveBuffers and TcpSockets.
constexpr int kTransmitsPerTurnMax = 64;
constexpr int kWritesPerTurnMax = 64;
/// While a socket is full, the core's wish to send must not keep the processor busy.
constexpr Duration kFullRetry = milliseconds(1);
constexpr int kGuessesMax = 16;

/// True as long as it lives; a callback of the host may throw.
class Flag {
 public:
  explicit Flag(bool& flag) : flag_(flag) { flag_ = true; }
  ~Flag() { flag_ = false; }
  Flag(const Flag&) = delete;
  Flag& operator=(const Flag&) = delete;

 private:
  bool& flag_;
};

/// Signals are for the host's threads: one that is started meanwhile takes none.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

Result<std::unique_ptr<Driver>> make_uv_driver(NodeCore& core, const DriverOptions& options) {
  auto loop = UvLoop::make();
  if (!loop) return std::unexpected(loop.error());
  auto out = std::make_unique<UvDriver>(core, options, std::move(*loop));
  if (auto opened = out->open_sockets(); !opened) return std::unexpected(opened.error());
  return out;
}

UvDriver::UvDriver(NodeCore& core, const DriverOptions& options, std::unique_ptr<UvLoop> loop)
    : core_(core),
      options_(options),
      loop_(std::move(loop)),
      tcp_(*loop_, [this](const SocketEvent& event) { handle(event); }),
      interfaces_(*loop_, open_interface_messages(), UvLoop::now()),
      dns_(*loop_, {options.dns_servers, options.dns_timeout},
           [this](const dns::Answer& answer) { handle(answer); }) {}

UvDriver::~UvDriver() {
  stop_thread();
  for (const Socket& socket : sockets_) loop_->unwatch(socket.watch);
}

Result<void> UvDriver::open_sockets() {
  while (perform_effects()) {}
  loop_->collect();  // from here on the descriptor tells of datagrams and of posts
  const bool none = sockets_.empty() && !tcp_.listens();
  if (none && bind_error_.code != Code::kOk) return std::unexpected(bind_error_);
  return {};
}

// --- one turn

UvDriver::Work UvDriver::turn() {
  P2PA_ASSERT(node_ != nullptr);
  const Flag in_turn(in_turn_);
  bool worked = posts_.run(*node_);
  receive();
  const Instant now = UvLoop::now();
  tcp_.work(now);
  tcp_.on_deadline(now);
  if (interfaces_.changed(now)) core_.interfaces_changed();
  dns_.on_deadline(now);
  dns_.work(now);
  if (core_.next_deadline() <= now) {
    core_.on_deadline(now);
    worked = true;
  }
  core_has_more_ = core_.turn(now);
  core_has_more_ |= perform_effects();
  worked |= send();
  worked |= write();
  worked |= std::exchange(received_, false);
  core_has_more_ |= core_.has_work();  // sending raises events, too
  note_close();
  if (more_at_hand()) return Work::kMore;
  return worked ? Work::kDone : Work::kNothing;
}

bool UvDriver::more_at_hand() const {
  const auto unread = [](const Socket& s) { return s.watch->readable; };
  return core_has_more_ || !posts_.empty() || tcp_.has_work() || dns_.has_work() ||
         std::ranges::any_of(sockets_, unread);
}

void UvDriver::receive() {
  for (Socket& socket : sockets_) {
    if (socket.watch->readable) receive_from(socket);
  }
}

/// False: nothing was there.
bool UvDriver::receive_from(Socket& socket) {
  const Instant now = UvLoop::now();
  socket.watch->readable = socket.udp->receive(inbox_);
  if (inbox_.datagrams().empty()) return false;
  for (const InboundDatagram& datagram : inbox_.datagrams()) core_.handle(now, datagram);
  hot_ = static_cast<std::size_t>(&socket - sockets_.data());
  hot_is_tcp_ = false;
  return received_ = true;
}

/// What comes next is most often for the socket of last time. False: not this time.
bool UvDriver::receive_again() {
  if (hot_is_tcp_) return tcp_.receive_again();
  return hot_ < sockets_.size() && receive_from(sockets_[hot_]);
}

void UvDriver::handle(const SocketEvent& event) {
  core_.handle(UvLoop::now(), event);
  received_ = true;
  if (event.kind == SocketEvent::Kind::kBytes) hot_is_tcp_ = true;
}

void UvDriver::handle(const dns::Answer& answer) {
  core_.handle(UvLoop::now(), answer);
  received_ = true;
}

/// Did anything leave, or come up for leaving?
bool UvDriver::send() {
  if (full_ != nullptr) {
    if (!full_->writable) return false;
    loop_->want_writable(std::exchange(full_, nullptr), false);
  }
  bool any = !outbox_.empty();
  if (!flush()) return any;
  const Instant now = UvLoop::now();
  for (int count = 0; count < kTransmitsPerTurnMax; ++count) {
    Transmit transmit{};
    if (!core_.poll_transmit(now, outbox_.space(), {segments_max_}, transmit)) {
      flush();
      return any;
    }
    outbox_.add(transmit);
    any = true;
    if (outbox_.full() && !flush()) return true;
  }
  core_has_more_ = true;
  flush();
  return true;
}

/// False: a socket is full, and what remains waits until it is writable.
bool UvDriver::flush() {
  while (!outbox_.empty()) {
    const auto batch = outbox_.next_batch();
    Socket* const socket = find(batch.front().transmit.socket);
    if (socket == nullptr) {
      outbox_.remove(batch.size());
      continue;
    }
    const std::size_t done = socket->udp->send(batch);
    outbox_.remove(done);
    if (done < batch.size()) {
      full_ = socket->watch;
      loop_->want_writable(full_, true);
      return false;
    }
  }
  return true;
}

/// Did the core write anything?
bool UvDriver::write() {
  const Instant now = UvLoop::now();
  for (int count = 0; count < kWritesPerTurnMax; ++count) {
    SocketWrite next{};
    if (!core_.poll_write(now, tcp_.space(), next)) return count > 0;
    tcp_.write(next.socket, tcp_.space().first(next.size));
  }
  core_has_more_ = true;
  return true;
}

// --- effects

/// Did the core get an answer?
bool UvDriver::perform_effects() {
  bool answered = false;
  while (core_.poll_effect(effect_)) {
    EffectDone done{};
    done.id = effect_.id;
    if (!perform(effect_, done)) continue;
    core_.handle(UvLoop::now(), done);
    answered = true;
  }
  return answered;
}

/// False: `done` is no answer; there is none, or it is a SocketEvent.
bool UvDriver::perform(const Effect& effect, EffectDone& done) {
  switch (effect.kind) {
    case Effect::Kind::kBindUdp: answer(bind(effect), done); return true;
    case Effect::Kind::kListenTcp: answer(tcp_.listen(effect.socket, effect.local), done); return true;
    case Effect::Kind::kListInterfaces:
      if (auto list = interface_addresses()) {
        done.addresses = std::move(*list);
      } else {
        done.result = std::unexpected(list.error());
      }
      return true;
    case Effect::Kind::kJoinGroup:
      if (const Socket* const socket = find(effect.socket)) join_group(socket->udp->fd(), effect.remote.ip);
      return false;
    case Effect::Kind::kCloseUdp: close_socket(effect.socket); return false;
    case Effect::Kind::kCloseListener: tcp_.close_listener(effect.socket); return false;
    case Effect::Kind::kConnectTcp: tcp_.connect(effect.socket, effect.remote); return false;
    case Effect::Kind::kFinishTcp: tcp_.finish(effect.socket, UvLoop::now()); return false;
    case Effect::Kind::kAbortTcp: tcp_.reset(effect.socket); return false;
    case Effect::Kind::kQueryDns: dns_.query(effect.query, UvLoop::now()); return false;
    case Effect::Kind::kAppendFile: files_.append(effect.path, effect.bytes); return false;
    case Effect::Kind::kReadFile:
      if (auto bytes = read_file(effect.path, kReadFileMax)) {
        done.bytes = std::move(*bytes);
      } else {
        done.result = std::unexpected(bytes.error());
      }
      return true;
  }
  return false;
}

void UvDriver::answer(Result<IpEndpoint> bound, EffectDone& done) {
  if (bound) {
    done.local = *bound;
    return;
  }
  done.result = std::unexpected(bound.error());
  if (bind_error_.code == Code::kOk) bind_error_ = bound.error();
}

Result<IpEndpoint> UvDriver::bind(const Effect& effect) {
  auto udp = UdpSocket::bind(effect.socket, effect.local, options_.plain, effect.lan);
  if (!udp) return std::unexpected(udp.error());
  sockets_.reserve(sockets_.size() + 1);  // nothing may fail between watching and keeping it
  auto watch = loop_->watch((*udp)->fd());
  if (!watch) return std::unexpected(watch.error());
  // Where one socket lost GSO, it cuts its batches itself: the others keep theirs.
  segments_max_ = std::max(segments_max_, (*udp)->segments_max());
  sockets_.push_back({std::move(*udp), *watch});
  return sockets_.back().udp->local();
}

void UvDriver::close_socket(SocketId id) {
  Socket* const socket = find(id);
  if (socket == nullptr) return;
  if (full_ == socket->watch) {
    flush();  // the goodbye may be in it; what is refused again is lost with the socket
    full_ = nullptr;
  }
  loop_->unwatch(socket->watch);
  sockets_.erase(sockets_.begin() + (socket - sockets_.data()));
  hot_ = 0;
}

UvDriver::Socket* UvDriver::find(SocketId id) {
  for (Socket& socket : sockets_) {
    if (socket.udp->id() == id) return &socket;
  }
  return nullptr;
}

/// The node has said kClosed: nothing is taken any more, and what was taken is still run.
void UvDriver::note_close() {
  if (closed_ || !node_->closed()) return;
  closed_ = true;
  posts_.close();
  posts_.run(*node_);
  files_.flush();
}

// --- who waits

Instant UvDriver::next_deadline() const {
  // The host may have asked for something since the last turn.
  if (more_at_hand() || core_.has_work()) return {0};
  const Instant core = core_.next_deadline();
  const Instant next = full_ == nullptr ? core : std::max(core, UvLoop::now() + kFullRetry);
  return std::min({next, tcp_.next_deadline(), interfaces_.next_deadline(), dns_.next_deadline()});
}

void UvDriver::wait_for_input(Duration timeout) {
  if (timeout > Duration{0}) timeout = std::min(timeout, next_deadline() - UvLoop::now());
  if (timeout > Duration{0} && !loop_->stale()) {
    if (!loop_->wait(timeout)) return;
    // Looking there at once saves asking the loop. Not for ever, since others may wait.
    if (guesses_++ < kGuessesMax && receive_again()) return;
  }
  guesses_ = 0;
  loop_->collect();
}

Result<int> UvDriver::poll(Duration timeout, int budget) {
  if (threaded_) return fail(Code::kInvalidState, "the node runs on its own thread");
  if (in_turn_) return fail(Code::kInvalidState, "poll() from inside poll()");
  if (budget < 1) return fail(Code::kInvalidArgument, "poll() needs a budget of a turn at least");
  // What the host asked for since the last poll goes first; if that was anything, the host may want
  // to see what came of it, and we do not sleep.
  Work work = turn();
  int turns = work == Work::kNothing ? 0 : 1;
  wait_for_input(turns == 0 ? timeout : Duration{0});
  while (turns < budget) {
    work = turn();
    if (work != Work::kNothing) ++turns;
    if (work != Work::kMore) break;
    loop_->collect();
  }
  if (loop_->stale()) loop_->collect();  // or the descriptor would stay silent
  return turns;
}

Result<void> UvDriver::post(std::move_only_function<void(Node&)> fn) {
  if (auto taken = posts_.push(std::move(fn)); !taken) return taken;
  loop_->wake();
  return {};
}

// --- the thread of the library

Result<void> UvDriver::start_thread() {
  const bool on_it = threaded_ && runner_ == uv_thread_self();
  if (on_it || (threaded_ && !stop_)) return fail(Code::kInvalidState, "the thread runs already");
  stop_thread();  // one that was stopped from within has not been joined
  if (in_turn_) return fail(Code::kInvalidState, "start_thread() from inside poll()");
  stop_ = false;
  threaded_ = true;
  const SignalsBlocked blocked;
  const int status = uv_thread_create(
      &thread_, [](void* self) { static_cast<UvDriver*>(self)->run_thread(); }, this);
  if (status != 0) {
    threaded_ = false;
    return fail(Code::kIo, "cannot start a thread", static_cast<std::uint64_t>(-status));
  }
  return {};
}

void UvDriver::stop_thread() {
  if (!threaded_) return;
  stop_ = true;
  if (runner_ == uv_thread_self()) return;  // it ends after this turn, and is joined later
  loop_->wake();
  uv_thread_join(&thread_);
  threaded_ = false;
}

void UvDriver::run_thread() {
  runner_ = uv_thread_self();
  try {
    while (!stop_) {
      const Work work = turn();
      wait_for_input(work == Work::kMore ? Duration{0} : Duration{kNever.ns});
    }
  } catch (...) {
    // A callback of the host threw, and there is no caller to hand it to: the node stops here.
    posts_.close();
  }
  runner_ = uv_thread_t{};
}

}  // namespace p2pa::io
