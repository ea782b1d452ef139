#include "transport/mux/streams.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/assert.hpp"
#include "transport/mux/muxed_connection.hpp"
#include "transport/mux/shared.hpp"

namespace p2pa::mux {

using Kind = ConnectionEvent::Kind;

namespace {

// How often streams that wait for the peer's credit may try whether it has stopped them.
constexpr Duration kRetryInterval = milliseconds(20);

}  // namespace

Streams::Streams(Shared& shared, MuxedConnection& owner)
    : shared_(shared), owner_(owner), budget_(shared.resources), gate_(shared.resources.shaper(), owner, *this) {}

Streams::~Streams() {
  std::erase(shared_.starved, this);
  table_.for_each([this](StreamState& stream) {
    gate_.forget(stream);
    stream.send.clear(shared_.chunks);
    stream.receive.clear(shared_.chunks);
  });
}

void Streams::attach(Engine* engine) {
  engine_ = engine;
  if (engine != nullptr) return;
  std::erase(shared_.starved, this);
  queue_.clear();
  gate_.close();
  table_.for_each([this](StreamState& stream) {
    stream.in_engine = stream.send_queued = false;
    gate_.leave_turn(stream);
    drop_sent(stream);
  });
}

// --- the application's side

Result<StreamId> Streams::open() {
  StreamState& stream = table_.open();
  if (const auto opened = engine_->open(stream); !opened) {
    table_.release(stream);
    wants_streams_ = wants_streams_ || opened.error().code == Code::kLimitStreams;
    return std::unexpected(opened.error());
  }
  stream.in_engine = true;
  ++opened_;
  return stream.id;
}

void Streams::set_context(StreamId id, void* context) {
  if (StreamState* stream = table_.find(id)) stream->context = context;
}

void Streams::set_priority(StreamId id, Priority priority) {
  StreamState* stream = table_.find(id);
  if (stream == nullptr || stream->priority == priority) return;
  const bool queued = stream->send_queued;
  queue_.remove(*stream);
  stream->priority = priority;
  gate_.set_priority(*stream);
  if (queued) queue_.push(*stream);
}

void Streams::set_protocol(StreamId id, std::string_view protocol) {
  StreamState* stream = table_.find(id);
  if (stream == nullptr || engine_ == nullptr) return;
  stream->protocol = shaping::key_of(protocol);
  gate_.set_protocol(*stream);
}

ByteView Streams::peek(StreamId id) const {
  const StreamState* stream = table_.find(id);
  if (stream == nullptr) return {};
  const ByteView front = stream->receive.front();
  return front.first(std::min(front.size(), stream->receive.size() - RateGate::held(*stream)));
}

void Streams::consume(StreamId id, std::size_t n) {
  StreamState* stream = table_.find(id);
  if (stream == nullptr) return;
  P2PA_ASSERT(n <= stream->receive.size() - RateGate::held(*stream));
  budget_.give_back(stream->receive.consume(shared_.chunks, n) * Chunk::kSize);
  if (engine_ != nullptr && n > 0) engine_->give_credit(*stream, n);
  if (!stream->in_engine && stream->receive.empty()) end_for_application(*stream);
}

bool Streams::at_end(StreamId id) const {
  const StreamState* stream = table_.find(id);
  return stream != nullptr && stream->receiving == ReceiveState::kFinished && stream->receive.empty();
}

std::size_t Streams::buffer_room(const StreamState& stream) const {
  const std::size_t bound = shared_.resources.limits().send_buffer_max;
  return bound - std::min(bound, stream.send.size());
}

std::size_t Streams::writable(StreamId id) const {
  const StreamState* stream = table_.find(id);
  if (stream == nullptr || stream->sending != SendState::kOpen || engine_ == nullptr) return 0;
  return std::min(buffer_room(*stream), stream->send.room(budget_.available() / Chunk::kSize));
}

Result<std::size_t> Streams::write(StreamId id, ByteView bytes) {
  StreamState* stream = table_.find(id);
  if (engine_ == nullptr) return fail(Code::kClosed, "the connection is closed");
  if (stream == nullptr || stream->sending != SendState::kOpen) {
    return fail(Code::kStreamFinished, "nothing may follow the end of a stream");
  }
  const auto memory_for = [&](ByteView part) { return stream->send.chunks_needed(part.size()) * Chunk::kSize; };
  ByteView taken = bytes.first(std::min(bytes.size(), buffer_room(*stream)));
  stream->wants_room = taken.size() < bytes.size();
  if (!budget_.take(memory_for(taken))) {
    stream->wants_room = false;
    starve(*stream, Chunk::kSize);
    taken = taken.first(stream->send.room(budget_.spare() / Chunk::kSize));
    const bool granted = budget_.take(memory_for(taken)).has_value();
    P2PA_ASSERT(granted);
  }
  if (taken.empty()) return 0;
  stream->send.append(shared_.chunks, taken);
  want_to_send(*stream);
  return taken.size();
}

bool Streams::await_room(StreamId id, std::size_t bytes) {
  StreamState* stream = table_.find(id);
  if (stream == nullptr || stream->sending != SendState::kOpen || engine_ == nullptr) return false;
  const std::size_t bound = shared_.resources.limits().send_buffer_max;
  std::size_t memory = stream->send.chunks_needed(bytes) * Chunk::kSize;
  // The writer pays for what it keeps by itself: not out of what this connection has to spare.
  if (bytes > bound) memory += MemoryBudget::kSpareMax;
  if (memory > budget_.most()) return false;
  if (std::min(bytes, bound) > buffer_room(*stream)) {
    stream->wants_room = true;
  } else {
    starve(*stream, std::max(memory, Chunk::kSize));
  }
  return true;
}

void Streams::finish(StreamId id) {
  StreamState* stream = table_.find(id);
  if (stream == nullptr || stream->sending != SendState::kOpen || engine_ == nullptr) return;
  stream->sending = SendState::kFinishing;
  want_to_send(*stream);
}

void Streams::reset(StreamId id, std::uint64_t code) {
  StreamState* stream = table_.find(id);
  if (stream != nullptr && stream->life == StreamLife::kOpen && engine_ != nullptr) abandon(*stream, code);
}

void Streams::stop(StreamId id, std::uint64_t code) {
  StreamState* stream = table_.find(id);
  if (stream == nullptr || engine_ == nullptr || stream->receiving == ReceiveState::kIgnored) return;
  note(*stream, code);
  if (stream->receiving == ReceiveState::kOpen) engine_->stop(*stream, code);
  stream->receiving = ReceiveState::kIgnored;
  drop_received(*stream);
  if (!stream->in_engine) end_for_application(*stream);
}

std::size_t Streams::undelivered() const {
  std::size_t left = 0;
  table_.for_each([&](const StreamState& stream) {
    if (!stream.in_engine || stream.sending == SendState::kAborted) return;
    left += stream.send.size();
    if (stream.sending == SendState::kFinishing || stream.end_pending) ++left;
  });
  return left;
}

bool Streams::take(const QueuedEvent& event, ConnectionEvent& out) {
  StreamState& stream = *event.stream;
  out = {event.kind, stream.id, stream.context, event.code, {}, {}};
  if (event.kind == Kind::kStreamClosed) {
    stream.life = StreamLife::kClosed;
    if (!stream.in_engine) release(stream);
    return true;
  }
  if (event.kind == Kind::kReadable) stream.readable_queued = false;
  // After a reset of our own only the close is of interest.
  return stream.life == StreamLife::kOpen || stream.sending != SendState::kAborted ||
         stream.receiving != ReceiveState::kIgnored;
}

// --- the engine's side

StreamState& Streams::on_opened(std::int64_t wire_id) {
  StreamState& stream = table_.open();
  stream.wire_id = wire_id;
  stream.in_engine = stream.inbound = true;
  ++accepted_;
  tell(stream, Kind::kStreamOpened);
  return stream;
}

void Streams::on_refused() { shared_.resources.dropped(DropCounters::kStreamLimit); }

void Streams::on_data(StreamState& stream, ByteView bytes, bool end) {
  if (stream.receiving != ReceiveState::kOpen) return engine_->give_credit(stream, bytes.size());
  const std::size_t memory = stream.receive.chunks_needed(bytes.size()) * Chunk::kSize;
  if (!budget_.take(memory)) {
    tell(stream, Kind::kStreamReset, wire_code::kStreamResourceLimit);
    abandon(stream, wire_code::kStreamResourceLimit);
    stream.receiving = ReceiveState::kReset;  // not the application's doing: it is to hear of it
    return engine_->give_credit(stream, bytes.size());
  }
  stream.receive.append(shared_.chunks, bytes);
  if (end) stream.receiving = ReceiveState::kFinished;
  if (gate_.received(stream, bytes.size())) may_read(stream);
}

void Streams::may_read(StreamState& stream) {
  if (stream.readable_queued) return;
  stream.readable_queued = true;
  tell(stream, Kind::kReadable);
}

void Streams::on_acknowledged(StreamState& stream, std::uint64_t offset, std::uint64_t size) {
  if (size == 0) stream.end_pending = false;
  budget_.give_back(stream.send.acknowledge(shared_.chunks, offset + size) * Chunk::kSize);
  // Told early enough to keep the pipe full, late enough not to be told for every packet.
  const std::size_t bound = shared_.resources.limits().send_buffer_max;
  if (stream.wants_room && stream.sending == SendState::kOpen && stream.send.size() <= bound - bound / 4) {
    stream.wants_room = false;
    tell(stream, Kind::kWritable);
  }
}

bool Streams::can_feed() const { return budget_.available() >= least_needed_; }

bool Streams::feed() {
  const std::size_t available = budget_.available();
  std::size_t least = SIZE_MAX;
  std::erase_if(starved_, [&](StreamId id) {
    StreamState& stream = *table_.find(id);
    if (stream.sending == SendState::kOpen && stream.starved > available) {
      least = std::min(least, stream.starved);
      return false;
    }
    stream.starved = 0;
    if (stream.sending == SendState::kOpen) tell(stream, Kind::kWritable);
    return true;
  });
  least_needed_ = least;
  return starved_.empty();
}

void Streams::starve(StreamState& stream, std::size_t memory) {
  if (starved_.empty()) {
    shared_.starved.push_back(this);
    least_needed_ = memory;
  }
  if (stream.starved == 0) starved_.push_back(stream.id);
  stream.starved = memory;
  least_needed_ = std::min(least_needed_, memory);
}

void Streams::on_reset(StreamState& stream, std::uint64_t code) {
  if (stream.receiving != ReceiveState::kOpen) return;  // everything is here, or nobody wants it
  stream.receiving = ReceiveState::kReset;
  drop_received(stream);
  tell(stream, Kind::kStreamReset, code);
}

void Streams::on_stopped(StreamState& stream, std::uint64_t code) {
  if (stream.sending == SendState::kAborted) return;
  stream.sending = SendState::kAborted;
  leave_turn(stream);
  budget_.give_back(stream.send.drop_unsent(shared_.chunks) * Chunk::kSize);
  tell(stream, Kind::kStreamStopped, code);
}

void Streams::on_closed(StreamState& stream, std::uint64_t code) {
  // Closed before we finished: the peer stopped it.
  if (stream.sending == SendState::kOpen || stream.sending == SendState::kFinishing) on_stopped(stream, code);
  stream.in_engine = false;
  leave_turn(stream);
  drop_sent(stream);
  if (stream.life == StreamLife::kClosed) return release(stream);
  if (stream.receive.empty()) end_for_application(stream);
}

void Streams::on_room(StreamState& stream) {
  if (stream.send.unsent_size() > 0 || stream.sending == SendState::kFinishing) want_to_send(stream);
}

void Streams::on_streams_available() {
  if (!wants_streams_) return;
  wants_streams_ = false;
  shared_.events.push({&owner_, nullptr, Kind::kStreamsAvailable, 0});
}

void Streams::restart() {
  queue_.clear();
  std::vector<StreamState*> streams;
  table_.for_each([&](StreamState& stream) { streams.push_back(&stream); });
  std::ranges::sort(streams, {}, &StreamState::wire_id);
  for (StreamState* stream : streams) {
    stream->in_engine = stream->send_queued = false;
    gate_.leave_turn(*stream);
    if (stream->life == StreamLife::kOpen && reopen(*stream)) continue;
    drop_sent(*stream);
    if (stream->life == StreamLife::kClosed) {
      release(*stream);
    } else if (stream->life == StreamLife::kOpen) {
      tell(*stream, Kind::kStreamReset, wire_code::kStreamResourceLimit);
      end_for_application(*stream);
    }
  }
}

bool Streams::reopen(StreamState& stream) {
  if (!stream.send.rewind() || !engine_->open(stream)) return false;
  stream.in_engine = true;
  if (stream.sending == SendState::kFinished) stream.sending = SendState::kFinishing;
  if (stream.receiving == ReceiveState::kIgnored) engine_->stop(stream, wire_code::kNone);
  if (stream.send.size() > 0 || stream.sending == SendState::kFinishing) want_to_send(stream);
  return true;
}

// --- sending

StreamState* Streams::next_to_send() {
  while (StreamState* stream = queue_.first()) {
    if (stream->send.unsent_size() == 0 || gate_.sendable(*stream) > 0) return stream;
    queue_.remove(*stream);
    gate_.wait_to_send(*stream);
  }
  return nullptr;
}

void Streams::sent(StreamState& stream, std::size_t n, bool end) {
  stream.send.mark_sent(n);
  queue_.served(stream, n);
  gate_.sent(stream, n);
  leave_turn(stream);
  if (end) {
    stream.sending = SendState::kFinished;
    stream.end_pending = n == 0;  // otherwise it is acknowledged with the last bytes
  } else if (stream.send.unsent_size() > 0 || stream.sending == SendState::kFinishing) {
    want_to_send(stream);  // at the end of the queue: the others are next
  }
}

void Streams::blocked(StreamState& stream) {
  leave_turn(stream);
  if (stream.blocked) return;
  stream.blocked = true;
  blocked_.push_back(stream.id);
}

void Streams::retry_blocked(Instant now) {
  if (blocked_.empty() || now < next_retry_) return;
  next_retry_ = now + kRetryInterval;
  for (const StreamId id : blocked_) {
    StreamState* stream = table_.find(id);
    if (stream == nullptr) continue;
    stream->blocked = false;
    if (stream->in_engine && stream->sending != SendState::kAborted) want_to_send(*stream);
  }
  blocked_.clear();
}

void Streams::want_to_send(StreamState& stream) {
  if (gate_.waits_to_send(stream)) return gate_.wait_to_send(stream);  // for more
  engine_->wake();
  queue_.push(stream);
}

void Streams::leave_turn(StreamState& stream) {
  queue_.remove(stream);
  gate_.leave_turn(stream);
}

void Streams::may_send_datagrams() {
  if (engine_ != nullptr) engine_->wake();
}

// --- endings

void Streams::tell(StreamState& stream, ConnectionEvent::Kind kind, std::uint64_t code) {
  // Nothing follows the connection's own kClosed.
  if (stream.life == StreamLife::kOpen && engine_ != nullptr) shared_.events.push({&owner_, &stream, kind, code});
}

void Streams::end_for_application(StreamState& stream) {
  if (stream.life != StreamLife::kOpen || engine_ == nullptr) return;
  tell(stream, Kind::kStreamClosed);
  stream.life = StreamLife::kClosing;
}

/// Counts what a stream is ended for, where that is the peer's fault.
void Streams::note(const StreamState& stream, std::uint64_t code) {
  if (stream.receiving == ReceiveState::kReset) return;  // by the peer, and for its own reasons
  switch (code) {
    case wire_code::kStreamProtocolViolation: return shared_.resources.dropped(DropCounters::kStreamViolation);
    case wire_code::kStreamResourceLimit:
    case wire_code::kStreamRateLimited: return shared_.resources.dropped(DropCounters::kStreamLimit);
    case wire_code::kStreamGarbageCollected: return shared_.resources.dropped(DropCounters::kStreamSlow);
    default: return;
  }
}

/// Both directions. What was sent is kept until the engine has done with the stream:
/// it may still send a lost part again.
void Streams::abandon(StreamState& stream, std::uint64_t code) {
  note(stream, code);
  if (stream.in_engine) engine_->reset(stream, code);
  stream.sending = SendState::kAborted;
  stream.receiving = ReceiveState::kIgnored;
  leave_turn(stream);
  budget_.give_back(stream.send.drop_unsent(shared_.chunks) * Chunk::kSize);
  drop_received(stream);
  end_for_application(stream);
}

void Streams::drop_received(StreamState& stream) {
  gate_.dropped(stream);
  const std::size_t n = stream.receive.size();
  budget_.give_back(stream.receive.clear(shared_.chunks) * Chunk::kSize);
  if (engine_ != nullptr && n > 0) engine_->give_credit(stream, n);
}

void Streams::drop_sent(StreamState& stream) {
  budget_.give_back(stream.send.clear(shared_.chunks) * Chunk::kSize);
}

/// The peer may open another one only now that nothing of this one is left.
void Streams::release(StreamState& stream) {
  const bool inbound = stream.inbound;
  if (stream.starved > 0) {
    std::erase(starved_, stream.id);
    if (starved_.empty()) std::erase(shared_.starved, this);
  }
  gate_.forget(stream);
  table_.release(stream);
  if (inbound && engine_ != nullptr) engine_->forget_inbound();
}

}  // namespace p2pa::mux
