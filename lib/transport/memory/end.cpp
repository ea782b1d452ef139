#include "transport/memory/end.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace p2pa::memory {

namespace {

/// Datagrams that wait to be read; more are dropped.
constexpr std::size_t kDatagramsMax = 1024;

}  // namespace

End::End(EndInfo info, const Config& config, Link& out)
    : info_(std::move(info)), config_(config), out_(out), next_stream_(info_.outbound ? 0 : 1) {
  emit(ConnectionEvent::Kind::kEstablished, 0);
}

End::State* End::find(StreamId stream) {
  const auto it = streams_.find(stream);
  return it == streams_.end() ? nullptr : &it->second;
}

const End::State* End::find(StreamId stream) const { return const_cast<End*>(this)->find(stream); }

// --- events

void End::emit(ConnectionEvent::Kind kind, StreamId stream, std::uint64_t code) {
  if (closed_) return;
  const bool again = kind == ConnectionEvent::Kind::kReadable && !events_.empty() &&
                     events_.back().kind == kind && events_.back().stream == stream;
  if (again) return;
  events_.push_back({.kind = kind, .stream = stream, .code = code});
}

bool End::poll_event(ConnectionEvent& out) {
  if (events_.empty()) return false;
  out = events_.front();
  events_.pop_front();
  if (out.kind == ConnectionEvent::Kind::kDatagram) {
    shown_datagram_ = std::move(datagrams_.front());
    datagrams_.pop_front();
    out.datagram = shown_datagram_;
  }
  const auto it = streams_.find(out.stream);
  if (it == streams_.end()) return true;
  out.context = it->second.context;
  if (out.kind != ConnectionEvent::Kind::kStreamClosed) return true;
  if (opened_here(out.stream)) --opened_now_;
  streams_.erase(it);
  if (opened_now_ < config_.streams_max && std::exchange(refused_stream_, false)) {
    emit(ConnectionEvent::Kind::kStreamsAvailable, 0);
  }
  return true;
}

void End::handle(Item item) {
  if (closed_) return;
  using Kind = ConnectionEvent::Kind;
  if (item.kind == Item::Kind::kClose) {
    return end({Code::kConnectionClosed, item.code, "the peer closed the connection"});
  }
  if (item.kind == Item::Kind::kDatagram) {
    if (datagrams_.size() == kDatagramsMax) return;
    datagrams_.push_back(std::move(item.bytes));
    return emit(Kind::kDatagram, 0);
  }
  if (item.kind == Item::Kind::kOpen) {
    streams_.try_emplace(item.stream);
    ++stats_.streams_accepted;
    return emit(Kind::kStreamOpened, item.stream);
  }
  State* state = find(item.stream);
  if (state == nullptr) {  // over here; the other end does not know yet
    const bool ends = item.kind == Item::Kind::kFinish || item.kind == Item::Kind::kReset;
    if (ends) out_.send({.kind = Item::Kind::kEnded, .stream = item.stream});
    return;
  }
  switch (item.kind) {
    case Item::Kind::kData:
      stats_.bytes_received += item.bytes.size();
      if (state->receiving != Receiving::kOpen) return;
      state->arrived.push_back(std::move(item.bytes));
      return emit(Kind::kReadable, item.stream);
    case Item::Kind::kFinish:
      out_.send({.kind = Item::Kind::kEnded, .stream = item.stream});
      if (state->receiving != Receiving::kOpen) return;
      state->receiving = Receiving::kFinished;
      emit(Kind::kReadable, item.stream);
      return close_if_over(item.stream, *state);
    case Item::Kind::kReset:
      out_.send({.kind = Item::Kind::kEnded, .stream = item.stream});
      if (state->receiving == Receiving::kDropped) return;
      drop_received(*state);
      emit(Kind::kStreamReset, item.stream, item.code);
      return close_if_over(item.stream, *state);
    case Item::Kind::kEnded:
      state->sending = Sending::kEnded;
      return close_if_over(item.stream, *state);
    case Item::Kind::kStop:
      if (state->sending == Sending::kEnded) return;
      emit(Kind::kStreamStopped, item.stream, item.code);
      return abort_sending(item.stream, *state, item.code);
    case Item::Kind::kCredit:
      state->on_the_way -= item.amount;
      if (std::exchange(state->short_write, false) && state->sending == Sending::kOpen) {
        emit(Kind::kWritable, item.stream);
      }
      return;
    default: return;
  }
}

void End::drop_received(State& state) {
  state.receiving = Receiving::kDropped;
  state.arrived.clear();
  state.taken = 0;
}

void End::abort_sending(StreamId stream, State& state, std::uint64_t code) {
  if (state.sending == Sending::kEnded) return;
  state.sending = Sending::kEnding;
  out_.send({.kind = Item::Kind::kReset, .stream = stream, .code = code});
}

void End::close_if_over(StreamId stream, State& state) {
  if (state.over || state.sending != Sending::kEnded) return;
  if (state.receiving == Receiving::kOpen || !state.arrived.empty()) return;
  state.over = true;
  emit(ConnectionEvent::Kind::kStreamClosed, stream);
}

void End::end(const Error& why) {
  if (closed_) return;
  events_.push_back({.kind = ConnectionEvent::Kind::kClosed, .error = why});
  closed_ = true;
}

void End::lose() { end({Code::kConnectionLost, 0, "the peer fell silent"}); }

// --- streams

Result<StreamId> End::open_stream(bool) {
  if (closed_) return fail(Code::kInvalidState, "the connection is closed");
  if (opened_now_ >= config_.streams_max) {
    refused_stream_ = true;
    return fail(Code::kLimitStreams, "as many streams as the peer allows", config_.streams_max);
  }
  ++opened_now_;
  ++stats_.streams_opened;
  const StreamId stream = next_stream_;
  next_stream_ += 4;
  streams_.try_emplace(stream);
  out_.send({.kind = Item::Kind::kOpen, .stream = stream});
  return stream;
}

void End::set_context(StreamId stream, void* context) {
  if (State* state = find(stream)) state->context = context;
}

ByteView End::peek(StreamId stream) const {
  const State* state = find(stream);
  if (state == nullptr || state->arrived.empty()) return {};
  return ByteView(state->arrived.front()).subspan(state->taken);
}

void End::consume(StreamId stream, std::size_t n) {
  State* state = find(stream);
  if (state == nullptr || n == 0) return;
  P2PA_ASSERT(n <= peek(stream).size());
  state->taken += n;
  if (!closed_) out_.send_credit(stream, n);
  if (state->taken < state->arrived.front().size()) return;
  state->arrived.pop_front();
  state->taken = 0;
  // The end counts as seen once everything before it was.
  if (state->arrived.empty()) close_if_over(stream, *state);
}

bool End::at_end(StreamId stream) const {
  const State* state = find(stream);
  return state != nullptr && state->receiving == Receiving::kFinished && state->arrived.empty();
}

Result<std::size_t> End::write(StreamId stream, ByteView bytes) {
  State* state = find(stream);
  if (closed_ || state == nullptr || state->sending != Sending::kOpen) {
    return fail(Code::kStreamFinished, "the stream takes no more");
  }
  const std::size_t taken = std::min(bytes.size(), writable(stream));
  state->on_the_way += taken;
  state->short_write = state->short_write || taken < bytes.size();
  stats_.bytes_sent += taken;
  if (taken > 0) out_.send_bytes(stream, bytes.first(taken));
  return taken;
}

std::size_t End::writable(StreamId stream) const {
  const State* state = find(stream);
  if (closed_ || state == nullptr || state->sending != Sending::kOpen) return 0;
  return config_.stream_bytes_max - state->on_the_way;
}

bool End::await_room(StreamId stream, std::size_t bytes) {
  State* state = find(stream);
  if (closed_ || state == nullptr || state->sending != Sending::kOpen) return false;
  if (bytes > config_.stream_bytes_max && state->on_the_way == 0) return false;  // it cannot become better
  state->short_write = true;
  return true;
}

void End::finish(StreamId stream) {
  State* state = find(stream);
  if (closed_ || state == nullptr || state->sending != Sending::kOpen) return;
  state->sending = Sending::kEnding;
  out_.send({.kind = Item::Kind::kFinish, .stream = stream});
}

void End::reset(StreamId stream, std::uint64_t code) {
  State* state = find(stream);
  if (closed_ || state == nullptr) return;
  abort_sending(stream, *state, code);
  stop(stream, code);
}

void End::stop(StreamId stream, std::uint64_t code) {
  State* state = find(stream);
  if (closed_ || state == nullptr || state->receiving == Receiving::kDropped) return;
  const bool more_may_come = state->receiving == Receiving::kOpen;
  drop_received(*state);
  if (more_may_come) out_.send({.kind = Item::Kind::kStop, .stream = stream, .code = code});
  close_if_over(stream, *state);
}

// --- the connection

Result<void> End::send_datagram(ByteView payload) {
  if (closed_) return fail(Code::kInvalidState, "the connection is closed");
  if (payload.size() > config_.datagram_size_max) {
    return fail(Code::kMessageTooLarge, "datagram over the limit", config_.datagram_size_max);
  }
  out_.send({.kind = Item::Kind::kDatagram, .bytes = Bytes(payload.begin(), payload.end())});
  return {};
}

void End::close(std::uint64_t code, std::string_view) {
  if (closed_) return;
  out_.send({.kind = Item::Kind::kClose, .code = code});
  end({Code::kOk, code, "closed on this side"});
}

ConnectionStats End::stats(Instant) const {
  ConnectionStats stats = stats_;
  stats.rtt = stats.rtt_min = config_.delay * 2;
  return stats;
}

}  // namespace p2pa::memory
