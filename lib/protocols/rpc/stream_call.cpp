#include "protocols/rpc/stream_call.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "protocols/rpc/message_memory.hpp"

namespace p2pa::rpc {

namespace {

constexpr Error kEndedWell{Code::kOk, 0, ""};
constexpr Error kCancelledHere{Code::kCancelled, 0, "the call was cancelled on this side"};
constexpr Error kCancelledThere{Code::kCancelled, 0, "the other end cancelled the call"};

/// The milliseconds left, rounded up so that a deadline does not become none.
std::uint64_t milliseconds_left(Instant now, Instant deadline) {
  if (deadline == kNever) return 0;
  const std::int64_t left = (deadline - now).ns;
  return left <= 0 ? 1 : (static_cast<std::uint64_t>(left) + 999'999) / 1'000'000;
}

/// What a call is told when its stream went.
Error call_error(const Error& why) {
  if (why.code == Code::kOk) return {Code::kStreamReset, 0, "the stream ended before the call"};
  if (why.code != Code::kStreamReset) return why;
  switch (why.detail) {
    case kWireCancelled: return kCancelledThere;
    case kWireDeadlineExceeded: return {Code::kDeadlineExceeded, 0, "the other end's deadline passed"};
    case wire_code::kStreamProtocolViolation:
      return {Code::kProtocolViolation, 0, "the other end found our frames wrong"};
    default: return why;
  }
}

/// What a refusal says. Only what a server may say of itself passes as it is.
Error error_of(const Refusal& refusal) {
  const auto code = static_cast<Code>(refusal.code);
  switch (code) {
    case Code::kNoSuchMethod: return {code, refusal.detail, "the peer does not serve the method"};
    case Code::kMessageTooLarge: return {code, refusal.detail, "over the peer's limit for a message"};
    case Code::kLimitCalls:
    case Code::kLimitPeer:
    case Code::kLimitIp: return {code, refusal.detail, "over the peer's limit for calls"};
    case Code::kLimitMemory: return {code, refusal.detail, "over the peer's limit for memory"};
    case Code::kProtocolViolation:
    case Code::kTruncated: return {code, refusal.detail, "the peer found our frames wrong"};
    default: break;
  }
  const std::int64_t number = refusal.code;
  return {Code::kRefused, static_cast<std::uint64_t>(number < 0 ? -number : number), "the peer refused the call"};
}

constexpr std::uint16_t bit(StreamCall::State state) {
  return static_cast<std::uint16_t>(1u << static_cast<unsigned>(state));
}

/// Where each state may lead.
constexpr std::uint16_t kNext[] = {
    /* kFree */ bit(StreamCall::State::kWaiting) | bit(StreamCall::State::kAwaitingRequest),
    /* kWaiting */ bit(StreamCall::State::kOpen) | bit(StreamCall::State::kEnding),
    /* kAwaitingRequest */ bit(StreamCall::State::kOpen) | bit(StreamCall::State::kEnding),
    /* kOpen */ bit(StreamCall::State::kEnding),
    /* kEnding */ bit(StreamCall::State::kLingering) | bit(StreamCall::State::kFree),
    /* kLingering */ bit(StreamCall::State::kFree),
};

}  // namespace

void StreamCall::set_state(State next) {
  P2PA_ASSERT((kNext[static_cast<std::size_t>(state_)] & bit(next)) != 0);
  state_ = next;
}

bool StreamCall::live() const {
  return state_ == State::kWaiting || state_ == State::kAwaitingRequest || state_ == State::kOpen;
}

Instant StreamCall::timer() const {
  switch (state_) {
    case State::kWaiting:
    case State::kOpen: return deadline_;
    case State::kAwaitingRequest:
    case State::kLingering: return timeout_;
    default: return kNever;
  }
}

void StreamCall::defer() {
  if (deferred_ || shared_.current == this) return;
  deferred_ = true;
  shared_.ready.push_back(this);
}

// --- beginning

void StreamCall::start_outbound(Instant now, const PeerId& peer, std::string_view method,
                                const CallOptions& options, CallHandler handler) {
  set_state(State::kWaiting);
  inbound_ = false;
  one_way_ = options.one_way;
  priority_ = options.priority;
  peer_ = peer;
  method_ = method;
  const Duration longest = milliseconds(static_cast<std::int64_t>(kDeadlineMsMax));
  deadline_ = options.deadline.ns == 0 ? kNever : now + std::clamp(options.deadline, Duration{}, longest);
  handler_ = std::move(handler);
}

Result<void> StreamCall::start_unary(ByteView request, UnaryCallback done) {
  unary_ = true;
  done_ = std::move(done);
  sending_ = Sending::kFinishing;
  if (request.size() > shared_.resources.limits().message_bytes_max) {
    return p2pa::fail(Code::kMessageTooLarge, "rpc: message over the limit",
                      shared_.resources.limits().message_bytes_max);
  }
  if (packs_) {
    head_written_ = true;
    return put_message(request);
  }
  shared_.scratch.clear();
  return writer_.put(nullptr, peer_, shared_.resources, shared_.scratch, request);
}

void StreamCall::start_inbound(Instant now, Stream& stream) {
  set_state(State::kAwaitingRequest);
  inbound_ = true;
  peer_ = stream.peer();
  packs_ = stream.protocol() == kPackedProtocolId;
  timeout_ = now + kRequestTimeout;
  stream_ = &stream;
  stream.set_tag(id());
}

void StreamCall::on_stream_open(Instant now, Stream& stream) {
  set_state(State::kOpen);
  stream_ = &stream;
  stream.set_priority(priority_);
  const Request request{method_, milliseconds_left(now, deadline_), one_way_, std::nullopt};
  Bytes& head = shared_.scratch;
  head.clear();
  if (unary_ && !head_written_) {
    append_request_head(head, request, writer_.kept());
  } else {
    append_frame(head, request);
  }
  writer_.open(stream, head);
  sent();
  if (writer_.kept() == 0) tell_writable();
}

// --- ending

void StreamCall::end(const Error& why, std::uint64_t abort) {
  P2PA_ASSERT(live());
  outcome_.error = why;
  abort_ = abort;
  set_state(State::kEnding);
}

void StreamCall::refuse(const Error& why) {
  if (!live()) return;
  defer();
  if (inbound_ && one_way_) return end(why);  // nobody listens
  if (!inbound_ || sending_ != Sending::kOpen) {
    return end(why, why.code == Code::kProtocolViolation || why.code == Code::kTruncated
                        ? wire_code::kStreamProtocolViolation
                        : wire_code::kStreamResourceLimit);
  }
  Bytes& frame = shared_.scratch;
  frame.clear();
  append_frame(frame, Refusal{static_cast<std::int32_t>(why.code), why.detail});
  if (!writer_.put(stream_, peer_, shared_.resources, frame, {})) {
    return end(why, wire_code::kStreamResourceLimit);
  }
  end(why);
  start_finish();
}

void StreamCall::refuse_frame(const Error& why) {
  const bool no_memory = why.code == Code::kLimitMemory || why.code == Code::kLimitPeer || why.code == Code::kLimitIp;
  if (!no_memory) shared_.resources.dropped(DropCounters::kMessage);
  refuse(why);
}

void StreamCall::complete(Instant now) {
  P2PA_ASSERT(state_ == State::kEnding);
  if (stream_ != nullptr && abort_ != kNoAbort) {
    stream_->reset(abort_);
    detach();
  } else if (stream_ != nullptr && !inbound_ && sending_ != Sending::kFinished) {
    // The server ended first: what we still had to say is of no use to anyone.
    if (writer_.kept() == 0) {
      sending_ = Sending::kFinishing;
      sent();
    } else {
      stream_->reset(wire_code::kNone);
      detach();
    }
  }
  reservation_.release();
  tell_outcome();
  if (stream_ != nullptr) drain();
  if (stream_ == nullptr || over()) return free();
  set_state(State::kLingering);
  timeout_ = now + kLingerTimeout;
}

void StreamCall::tell_outcome() {
  if (!unary_) return invoke(&CallHandler::on_end, std::as_const(outcome_));
  if (done_) done_(outcome_, outcome_.ok() ? answer_ : ByteView{});
}

bool StreamCall::over() const { return sending_ == Sending::kFinished && stream_->at_end(); }

void StreamCall::detach() {
  stream_->set_tag(0);
  stream_ = nullptr;
}

void StreamCall::free() {
  if (stream_ != nullptr) detach();
  set_state(State::kFree);
  ++generation_;
  sending_ = Sending::kOpen;
  receiving_ = Receiving::kOpen;
  priority_ = Priority::kInteractive;
  one_way_ = unary_ = paused_ = request_held_ = want_writable_ = packs_ = head_written_ = false;
  deadline_ = timeout_ = kNever;
  abort_ = kNoAbort;
  answer_ = {};
  drop_unpacked();
  reader_.reset();
  writer_.reset();
  outcome_ = {};
  handler_ = {};
  next_handler_.reset();
  done_ = nullptr;
}

void StreamCall::drain() {
  while (!stream_->peek().empty()) stream_->consume(stream_->peek().size());
}

// --- what the application asks

Result<void> StreamCall::send(ByteView message) {
  const auto taken = send_or_refuse(message);
  if (taken || taken.error().code != Code::kLimitMemory) return taken;
  const std::size_t size = shared_.scratch.size() + message.size();
  // Without a stream yet it is tried again when there is one.
  const bool may_fit = stream_ == nullptr ? size <= shared_.resources.memory_most() : stream_->await_room(size);
  if (!may_fit) return taken;
  want_writable_ = true;
  return p2pa::fail(Code::kWouldBlock, "there is no memory for the message yet");
}

Result<void> StreamCall::send_or_refuse(ByteView message) {
  if (!live()) return p2pa::fail(Code::kInvalidState, "the call is over");
  const std::size_t limit = shared_.resources.limits().message_bytes_max;
  if (message.size() > limit) {
    return p2pa::fail(Code::kMessageTooLarge, "rpc: message over the limit", limit);
  }
  if (inbound_ && one_way_) return {};  // nobody listens
  if (sending_ != Sending::kOpen || writer_.stopped()) {
    return p2pa::fail(Code::kStreamFinished, "nothing can be sent any more");
  }
  const std::size_t kept = writer_.kept();
  if (kept > 0 && (stream_ != nullptr || kept + message.size() > kUnsentBytesMax)) {
    want_writable_ = true;
    return p2pa::fail(Code::kWouldBlock, "the stream's buffer is full");
  }
  return put_message(message);
}

Result<void> StreamCall::put_message(ByteView message) {
  Bytes& head = shared_.scratch;
  head.clear();
  const ByteView packed = packs_ ? shared_.packer.pack(message) : ByteView{};
  if (packed.empty()) {
    append_message_head(head, message.size());
    return writer_.put(stream_, peer_, shared_.resources, head, message);
  }
  append_packed_head(head, message.size(), packed.size());
  return writer_.put(stream_, peer_, shared_.resources, head, packed);
}

void StreamCall::finish() {
  if (!live()) return;
  if (inbound_ && one_way_) {
    end(kEndedWell);
    return defer();
  }
  if (sending_ == Sending::kOpen) start_finish();
}

void StreamCall::fail(const ApplicationError& error) {
  if (!live() || !inbound_) return;
  const Error why{Code::kApplication, 0, "the method answered with an error"};
  defer();
  if (one_way_) {
    outcome_.application = error;
    return end(why);
  }
  if (sending_ != Sending::kOpen) return;
  const std::size_t limit = shared_.resources.limits().message_bytes_max;
  if (error.data.size() > limit) {
    return refuse({Code::kMessageTooLarge, limit, "rpc: the error's data is over the limit"});
  }
  Bytes& frame = shared_.scratch;
  frame.clear();
  append_frame(frame, Failure{error.code, error.text, error.data});
  if (const auto put = writer_.put(stream_, peer_, shared_.resources, frame, {}); !put) {
    return refuse(put.error());
  }
  outcome_.error = why;
  outcome_.application = error;
  start_finish();
}

void StreamCall::cancel() {
  if (!live()) return;
  end(kCancelledHere, kWireCancelled);
  defer();
}

void StreamCall::resume() {
  if (!std::exchange(paused_, false)) return;
  if (state_ == State::kOpen) defer();
}

void StreamCall::set_priority(Priority priority) {
  priority_ = priority;
  if (stream_ != nullptr) stream_->set_priority(priority);
}

void StreamCall::set_handler(CallHandler handler) {
  if (in_callback_) {
    next_handler_ = std::move(handler);
  } else {
    handler_ = std::move(handler);
  }
}

template <class Function, class... Args>
void StreamCall::invoke(Function CallHandler::*function, Args&&... args) {
  auto& callback = handler_.*function;
  if (!callback) return;
  in_callback_ = true;
  callback(*this, std::forward<Args>(args)...);
  in_callback_ = false;
  if (!next_handler_) return;
  handler_ = std::move(*next_handler_);
  next_handler_.reset();
}

// --- sending

void StreamCall::start_finish() {
  sending_ = Sending::kFinishing;
  sent();
}

void StreamCall::sent() {
  if (stream_ == nullptr || writer_.kept() > 0 || sending_ != Sending::kFinishing) return;
  stream_->finish();
  sending_ = Sending::kFinished;
  // A server has said all; a one-way request is handed over. Everybody else waits for the server.
  if (!live() || (!inbound_ && !one_way_)) return;
  end(outcome_.error);
  defer();
}

void StreamCall::on_writable() {
  if (stream_ == nullptr) return;
  writer_.flush(*stream_);
  if (writer_.kept() > 0) return;
  sent();
  if (state_ == State::kLingering && over()) return free();
  tell_writable();
}

void StreamCall::tell_writable() {
  if (state_ == State::kOpen && std::exchange(want_writable_, false)) invoke(&CallHandler::on_writable);
}

void StreamCall::on_stopped(std::uint64_t code) {
  writer_.stop();
  if (state_ == State::kOpen && inbound_ && !one_way_) {
    const Error reset{Code::kStreamReset, code, "the other end reads no more"};
    return end(code == wire_code::kNone ? kCancelledThere : call_error(reset), kWireCancelled);
  }
  if (state_ == State::kOpen && !inbound_ && one_way_) {
    return end({Code::kStreamReset, code, "the other end reads no more"});
  }
  sent();
  if (state_ == State::kLingering && over()) free();
}

// --- receiving

bool StreamCall::reading() const {
  return (state_ == State::kOpen || state_ == State::kAwaitingRequest) && !paused_ && !deaf();
}

bool StreamCall::deaf() const { return inbound_ && !one_way_ && sending_ != Sending::kOpen; }

void StreamCall::on_readable(Instant now) {
  if (state_ == State::kLingering || deaf()) {
    drain();
    if (state_ == State::kLingering && over()) free();
    return;
  }
  const std::size_t message_max = shared_.resources.limits().message_bytes_max;
  while (reading() && receiving_ == Receiving::kOpen) {
    const auto bytes = reader_.next(stream_, shared_.resources, message_max + kFrameOverheadMax);
    if (!bytes) return refuse_frame(bytes.error());
    if (bytes->empty()) break;
    auto frame = decode_frame(*bytes, message_max);
    if (!frame) return refuse_frame(frame.error());
    if (const auto plain = unpack(*frame); !plain) return refuse_frame(plain.error());
    if (!on_frame(now, *frame)) return;
    if (receiving_ != Receiving::kOpen) break;
    reader_.release(stream_);
    drop_unpacked();
  }
  if (!reading()) return;
  if (stream_ != nullptr && !stream_->peek().empty()) {
    return refuse({Code::kProtocolViolation, 0, "rpc: bytes after the answer"});
  }
  const bool at_end = stream_ == nullptr || stream_->at_end();
  if (receiving_ != Receiving::kFinished && at_end) on_end_of_stream();
}

bool StreamCall::on_frame(Instant now, const Frame& frame) {
  const bool begun = state_ == State::kOpen && !request_held_;
  if (const auto* message = std::get_if<Message>(&frame); message != nullptr && begun) {
    if (!inbound_ && unary_) {
      on_answer(*message);
    } else {
      on_message(message->payload);
    }
    return true;
  }
  if (const auto* request = std::get_if<Request>(&frame);
      request != nullptr && inbound_ && !begun) {
    return on_request(now, *request);
  }
  if (const auto* failure = std::get_if<Failure>(&frame); failure != nullptr && !inbound_) {
    outcome_.application = {failure->code, std::string(failure->text),
                            Bytes(failure->data.begin(), failure->data.end())};
    end({Code::kApplication, 0, "the method answered with an error"});
    return true;
  }
  if (const auto* refusal = std::get_if<Refusal>(&frame); refusal != nullptr && !inbound_) {
    end(error_of(*refusal));
    return true;
  }
  refuse_frame({Code::kProtocolViolation, 0, "rpc: a frame out of order"});
  return true;
}

bool StreamCall::on_request(Instant now, const Request& request) {
  if (std::exchange(request_held_, false)) {
    on_message(*request.message);
    return true;
  }
  set_state(State::kOpen);
  method_ = request.method;
  one_way_ = request.one_way;
  if (request.deadline_ms != 0) {
    const std::uint64_t ms = std::min(request.deadline_ms, kDeadlineMsMax);
    deadline_ = now + milliseconds(static_cast<std::int64_t>(ms));
  }
  if (one_way_) {
    stream_->finish();
    sending_ = Sending::kFinished;
  }
  const auto served = shared_.methods.find(method_);
  if (served == nullptr) {
    refuse({Code::kNoSuchMethod, 0, "the method is not served here"});
    return true;
  }
  unary_ = std::holds_alternative<UnaryMethod>(*served);
  if (auto* method = std::get_if<Method>(served.get())) (*method)(*this);
  if (!request.message || state_ != State::kOpen) return true;
  if (paused_) {
    request_held_ = true;
    return false;
  }
  on_message(*request.message);
  return true;
}

void StreamCall::on_message(ByteView payload) {
  if (inbound_ && unary_) return run_unary(payload);
  if (deaf()) return;
  invoke(&CallHandler::on_message, payload);
}

void StreamCall::run_unary(ByteView request) {
  const auto served = shared_.methods.find(method_);
  auto* method = served == nullptr ? nullptr : std::get_if<UnaryMethod>(served.get());
  if (method == nullptr) return refuse({Code::kNoSuchMethod, 0, "the method is not served any more"});
  auto answer = (*method)(peer_, request);
  if (state_ != State::kOpen) return;
  if (one_way_) return end(kEndedWell);
  if (!answer) return fail(answer.error());
  const auto sent_whole = send_or_refuse(*answer);
  if (!sent_whole) return refuse(sent_whole.error());
  start_finish();
}

Result<void> StreamCall::unpack(Frame& frame) {
  const auto* packed = std::get_if<PackedMessage>(&frame);
  if (packed == nullptr || !packs_) return {};  // where it has no place it is out of order
  if (packed->size > kUnchargedBytesMax) {
    auto granted = message_memory(shared_.resources, peer_, packed->size);
    if (!granted) return std::unexpected(granted.error());
    unpacked_memory_ = std::move(*granted);
  }
  unpacked_.resize(packed->size);
  if (auto whole = shared_.unpacker.unpack(packed->packed, unpacked_); !whole) return whole;
  frame = Message{unpacked_};
  return {};
}

void StreamCall::drop_unpacked() {
  unpacked_.clear();
  if (unpacked_.capacity() > kUnchargedBytesMax) Bytes().swap(unpacked_);
  unpacked_memory_.release();
}

void StreamCall::on_answer(const Message& answer) {
  if (!unpacked_.empty()) {
    reader_.release(stream_);
    answer_ = answer.payload;
    receiving_ = Receiving::kAnswered;
    return;
  }
  const auto kept = reader_.keep(*stream_, shared_.resources);
  if (!kept) return refuse(kept.error());
  const auto frame = decode_frame(*kept, shared_.resources.limits().message_bytes_max);
  answer_ = std::get<Message>(*frame).payload;  // decoded once before
  receiving_ = Receiving::kAnswered;
}

void StreamCall::on_end_of_stream() {
  if (reader_.partial() && receiving_ == Receiving::kOpen) {
    return refuse({Code::kTruncated, 0, "the stream ended inside a frame"});
  }
  const bool answered = receiving_ == Receiving::kAnswered;
  receiving_ = Receiving::kFinished;
  if (state_ == State::kAwaitingRequest) {
    return refuse({Code::kTruncated, 0, "the stream ended without a request"});
  }
  if (!inbound_ && one_way_) return;  // the server has nothing to say; we may have
  if (unary_) {
    if (inbound_) return refuse({Code::kProtocolViolation, 0, "the stream ended without a message"});
    if (!answered) return refuse({Code::kTruncated, 0, "the stream ended without an answer"});
    return end(kEndedWell);
  }
  invoke(&CallHandler::on_finished);
  if (state_ == State::kOpen && (!inbound_ || one_way_)) end(kEndedWell);
}

// --- the rest of its life

void StreamCall::on_stream_closed(Instant now, const Error& why) {
  stream_ = nullptr;
  const bool all_is_here = why.code == Code::kOk && state_ == State::kOpen && (!inbound_ || one_way_);
  if (all_is_here && paused_) return;  // what the pause holds back, and the end, are told after it
  if (all_is_here) on_readable(now);
  if (live()) return end(call_error(why));
  if (state_ == State::kLingering) free();
}

void StreamCall::on_timer() {
  if (state_ == State::kLingering) {
    stream_->reset(wire_code::kStreamGarbageCollected);
    return free();
  }
  if (state_ == State::kAwaitingRequest) {
    return end({Code::kTimeout, 0, "no request came"}, wire_code::kStreamGarbageCollected);
  }
  if (live()) end({Code::kDeadlineExceeded, 0, "the call's deadline passed"}, kWireDeadlineExceeded);
}

}  // namespace p2pa::rpc
