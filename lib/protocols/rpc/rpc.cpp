#include "protocols/rpc/rpc.hpp"

#include <utility>

#include "base/assert.hpp"

namespace p2pa::rpc {

Rpc::Rpc(StreamOpener& opener, resource::Manager& resources)
    : opener_(opener), shared_{resources, {}, {}, {}, nullptr} {}

Rpc::~Rpc() = default;

std::vector<std::string> Rpc::protocol_ids() const {
  return {std::string(kProtocolId), std::string(kPackedProtocolId)};
}

Result<void> Rpc::serve(std::string name, Method method) {
  return shared_.methods.add(std::move(name), std::move(method));
}

Result<void> Rpc::serve(std::string name, UnaryMethod method) {
  return shared_.methods.add(std::move(name), std::move(method));
}

void Rpc::stop_serving(std::string_view name) { shared_.methods.remove(name); }

// --- outbound

Call& Rpc::open_call(Instant now, const PeerId& peer, std::string_view method,
                     const CallOptions& options, CallHandler handler) {
  StreamCall& call = start(now, peer, method, options, std::move(handler));
  open_stream(call, options);
  return call;
}

CallId Rpc::call(Instant now, const PeerId& peer, std::string_view method, ByteView request,
                 const CallOptions& options, UnaryCallback done) {
  StreamCall& call = start(now, peer, method, options, {});
  const auto started = call.start_unary(request, std::move(done));
  if (!started && call.live()) {
    call.end(started.error());
    call.defer();
  }
  open_stream(call, options);
  return call.id();
}

CallId Rpc::notify(Instant now, const PeerId& peer, std::string_view method, ByteView message,
                   NotifyCallback done, CallOptions options) {
  options.one_way = true;
  UnaryCallback told;
  if (done) {
    told = [done = std::move(done)](const CallOutcome& outcome, ByteView) mutable { done(outcome); };
  }
  return call(now, peer, method, message, options, std::move(told));
}

StreamCall& Rpc::start(Instant now, const PeerId& peer, std::string_view method,
                       const CallOptions& options, CallHandler handler) {
  StreamCall& call = acquire();
  call.start_outbound(now, peer, method, options, std::move(handler));
  if (options.compress && reads_packed_ && reads_packed_(peer)) call.pack();
  auto reservation = shared_.resources.call(peer);
  if (!valid_method(method)) {
    call.end({Code::kInvalidArgument, 0, "a method name is 1 to 255 bytes of UTF-8"});
  } else if (call.deadline() <= now) {
    call.end({Code::kDeadlineExceeded, 0, "the call's deadline had passed"});
  } else if (!reservation) {
    call.end(reservation.error());
  } else {
    call.hold(std::move(*reservation));
  }
  if (!call.live()) call.defer();
  keep_timer(call);
  return call;
}

void Rpc::open_stream(StreamCall& call, const CallOptions& options) {
  if (!call.live()) return;
  OpenStreamOptions how;
  how.replay_safe = options.replay_safe;
  opener_.open_stream(call.peer(), call.protocol(), *this, call.id(), how);
}

Call* Rpc::find_call(CallId id) {
  StreamCall* call = find(id);
  return call != nullptr && call->live() ? call : nullptr;
}

void Rpc::close_all(Instant, const Error& reason) {
  for (const auto& call : calls_) {
    if (!call->live()) continue;
    call->end(reason, wire_code::kStreamShutdown);
    call->defer();
  }
}

// --- places

StreamCall& Rpc::acquire() {
  if (free_.empty()) {
    calls_.push_back(std::make_unique<StreamCall>(shared_, static_cast<std::uint32_t>(calls_.size())));
    return *calls_.back();
  }
  StreamCall& call = *calls_[free_.back()];
  free_.pop_back();
  return call;
}

StreamCall* Rpc::find(std::uint64_t id) const {
  const auto index = static_cast<std::uint32_t>(id);
  if (index >= calls_.size()) return nullptr;
  StreamCall* call = calls_[index].get();
  return call->id() == id && call->state() != StreamCall::State::kFree ? call : nullptr;
}

template <class Entry>
void Rpc::enter(Instant now, StreamCall& call, Entry&& entry) {
  shared_.current = &call;
  entry();
  if (call.state() == StreamCall::State::kEnding) call.complete(now);
  shared_.current = nullptr;
  if (call.state() != StreamCall::State::kFree) return keep_timer(call);
  if (call.reusable()) free_.push_back(call.index_);
}

// A place's timer is moved only forward; when it rings it is set anew. So a busy place costs the queue
// nothing, since the next call's deadline is nearly always later than the last one's.
void Rpc::keep_timer(StreamCall& call) {
  if (call.timer() >= call.timer_set_) return;
  call.timer_set_ = call.timer();
  timers_.set(call.index_, call.timer_set_);
}

void Rpc::on_deadline(Instant now) {
  while (const auto index = timers_.pop_due(now)) {
    StreamCall& call = *calls_[*index];
    call.timer_set_ = kNever;
    if (call.timer() <= now) {
      enter(now, call, [&] { call.on_timer(); });
    } else {
      keep_timer(call);
    }
  }
}

void Rpc::on_turn(Instant now) {
  std::swap(turn_, shared_.ready);
  for (StreamCall* call : turn_) {
    call->deferred_ = false;
    if (call->state() == StreamCall::State::kFree) continue;  // ended since
    enter(now, *call, [&] {
      if (call->live() && call->state() != StreamCall::State::kWaiting) call->on_readable(now);
    });
  }
  turn_.clear();
}

// --- streams

void Rpc::on_stream_open(Instant now, Stream& stream) {
  if (stream.outbound()) {
    StreamCall* call = find(stream.tag());
    if (call == nullptr || !call->live()) {  // given up meanwhile
      stream.set_tag(0);
      return stream.reset(kWireCancelled);
    }
    return enter(now, *call, [&] { call->on_stream_open(now, stream); });
  }
  StreamCall& call = acquire();
  enter(now, call, [&] {
    call.start_inbound(now, stream);
    auto reservation = shared_.resources.call(stream.peer());
    if (!reservation) return call.refuse(reservation.error());
    call.hold(std::move(*reservation));
  });
}

void Rpc::on_stream_failed(Instant now, std::uint64_t tag, const Error& why) {
  StreamCall* call = find(tag);
  if (call == nullptr || !call->live()) return;
  enter(now, *call, [&] { call->end(why); });
}

void Rpc::on_readable(Instant now, Stream& stream) {
  if (StreamCall* call = find(stream.tag())) return enter(now, *call, [&] { call->on_readable(now); });
  while (!stream.peek().empty()) stream.consume(stream.peek().size());
}

void Rpc::on_writable(Instant now, Stream& stream) {
  if (StreamCall* call = find(stream.tag())) enter(now, *call, [&] { call->on_writable(); });
}

void Rpc::on_stopped(Instant now, Stream& stream, std::uint64_t code) {
  if (StreamCall* call = find(stream.tag())) enter(now, *call, [&] { call->on_stopped(code); });
}

void Rpc::on_stream_closed(Instant now, Stream& stream, const Error& why) {
  if (StreamCall* call = find(stream.tag())) enter(now, *call, [&] { call->on_stream_closed(now, why); });
}

}  // namespace p2pa::rpc
