#include "transport/udp/stream_engine.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.hpp"
#include "base/varint.hpp"

namespace p2pa::udp {
namespace {

/// Beyond it nobody counts, and no number grows out of a varint.
constexpr std::uint64_t kCreditMax = std::uint64_t{1} << 60;

std::unexpected<Error> violation(const char* why, std::uint64_t stream) {
  return fail(Code::kProtocolViolation, why, stream);
}

}  // namespace

StreamEngine::StreamEngine(bool dialer, mux::Streams& streams, const Limits& limits, Owner& owner)
    : dialer_(dialer),
      streams_(streams),
      limits_(limits),
      owner_(owner),
      inbound_allowed_(limits.streams_inbound_per_connection_max),
      allowed_(limits.connection_window) {}

Parameters StreamEngine::parameters_of(const Limits& limits) {
  Parameters out;
  out.data = limits.connection_window;
  out.stream_data = limits.stream_window;
  out.streams = limits.streams_inbound_per_connection_max;
  return out;
}

void StreamEngine::start(const Parameters& theirs) {
  theirs_ = theirs;
  theirs_.data = std::min(theirs.data, kCreditMax);
  theirs_.stream_data = std::min(theirs.stream_data, kCreditMax);
  theirs_.streams = std::min(theirs.streams, kCreditMax);
}

StreamEngine::Wire* StreamEngine::find(std::uint64_t id) {
  const auto it = wires_.find(id);
  return it == wires_.end() || it->second.over ? nullptr : &it->second;
}

Result<StreamEngine::Wire*> StreamEngine::reach(std::uint64_t id) {
  const std::uint64_t index = id / 2;
  if (ours(id)) {
    if (index >= opened_) return violation("udp: a stream of ours that we did not open", id);
  } else {
    if (index >= inbound_allowed_) return violation("udp: more streams than are allowed", id);
    while (accepted_ <= index) accept(2 * accepted_++ + id % 2);
  }
  return find(id);
}

void StreamEngine::accept(std::uint64_t id) {
  Wire& wire = wires_[id];
  wire.id = id;
  wire.credit = theirs_.stream_data;
  wire.allowed = limits_.stream_window;
  wire.stream = &streams_.on_opened(static_cast<std::int64_t>(id));
  wire.stream->carried = &wire;
}

// --- receiving

Result<bool> StreamEngine::on_stream(const StreamFrame& frame) {
  const auto reached = reach(frame.stream);
  if (!reached) return std::unexpected(reached.error());
  if (*reached == nullptr) return true;
  Wire& wire = **reached;
  const std::uint64_t end = frame.offset + frame.bytes.size();
  if (wire.final_size && (end > *wire.final_size || (frame.end && end != *wire.final_size))) {
    return violation("udp: bytes beyond the end of a stream", wire.id);
  }
  if (frame.end && end < wire.highest) return violation("udp: an end before what came", wire.id);
  if (const auto fits = extend(wire, end); !fits) return std::unexpected(fits.error());
  if (wire.receiving_over) return true;
  if (frame.end) wire.final_size = end;
  if (wire.deaf) {
    if (wire.final_size) finish_receiving(wire);
    return true;
  }
  const std::uint64_t next = wire.reassembly.next();
  if (frame.offset > next) return wire.reassembly.keep(frame.offset, frame.bytes);
  const ByteView fresh = frame.bytes.subspan(std::min<std::uint64_t>(next - frame.offset, frame.bytes.size()));
  if (!fresh.empty() || wire.final_size == next) deliver(wire, fresh);
  while (!wire.receiving_over && !wire.reassembly.front().empty()) deliver(wire, wire.reassembly.front());
  return true;
}

Result<void> StreamEngine::extend(Wire& wire, std::uint64_t end) {
  if (end <= wire.highest) return {};
  const std::uint64_t more = end - wire.highest;
  if (end > wire.allowed) return violation("udp: more than a stream's credit", wire.id);
  if (more > allowed_ - received_) return violation("udp: more than the session's credit", wire.id);
  received_ += more;
  wire.highest = end;
  return {};
}

/// The bytes at the front. The application may give the stream up meanwhile.
void StreamEngine::deliver(Wire& wire, ByteView bytes) {
  const std::uint64_t next = wire.reassembly.next() + bytes.size();
  const bool last = wire.final_size == next;
  wire.delivered = next;
  streams_.on_data(*wire.stream, bytes, last);
  if (wire.receiving_over) return;
  wire.reassembly.skip_to(next);
  if (wire.deaf && wire.final_size) return finish_receiving(wire);
  if (!last) return;
  wire.receiving_over = true;
  end_if_over(wire);
}

/// What did not come, or came behind a gap, is read by nobody. REQUIRES that its size is known.
void StreamEngine::finish_receiving(Wire& wire) {
  if (std::exchange(wire.receiving_over, true)) return;
  consumed_ += *wire.final_size - wire.delivered;
  max_data_due_ = max_data_due_ || allowed_ - consumed_ <= limits_.connection_window / 2;
  wire.reassembly.clear();
  end_if_over(wire);
}

Result<void> StreamEngine::on_reset(const ResetFrame& frame) {
  const auto reached = reach(frame.stream);
  if (!reached) return std::unexpected(reached.error());
  if (*reached == nullptr) return {};
  Wire& wire = **reached;
  if (wire.final_size.value_or(frame.final_size) != frame.final_size || frame.final_size < wire.highest) {
    return violation("udp: a stream of two sizes", wire.id);
  }
  if (const auto fits = extend(wire, frame.final_size); !fits) return fits;
  if (wire.receiving_over) return {};
  wire.final_size = frame.final_size;
  streams_.on_reset(*wire.stream, frame.code);
  finish_receiving(wire);
  return {};
}

Result<void> StreamEngine::on_stop(const StopFrame& frame) {
  const auto reached = reach(frame.stream);
  if (!reached) return std::unexpected(reached.error());
  if (*reached == nullptr || (*reached)->sending_over || (*reached)->aborted) return {};
  cut_off(**reached, frame.code);
  streams_.on_stopped(*(*reached)->stream, frame.code);
  return {};
}

Result<void> StreamEngine::on_max_stream_data(const MaxStreamDataFrame& frame) {
  const auto reached = reach(frame.stream);
  if (!reached) return std::unexpected(reached.error());
  Wire* wire = *reached;
  const std::uint64_t credit = std::min(frame.bytes, kCreditMax);
  if (wire == nullptr || credit <= wire->credit) return {};
  wire->credit = credit;
  if (!wire->aborted && !wire->sending_over) streams_.on_room(*wire->stream);
  return {};
}

void StreamEngine::on_max_data(const MaxDataFrame& frame) {
  theirs_.data = std::max(theirs_.data, std::min(frame.bytes, kCreditMax));
  wake();
}

void StreamEngine::on_max_streams(const MaxStreamsFrame& frame) {
  const std::uint64_t streams = std::min(frame.streams, kCreditMax);
  if (streams <= theirs_.streams) return;
  theirs_.streams = streams;
  streams_.on_streams_available();
}

// --- what Streams asks

Result<void> StreamEngine::open(mux::StreamState& stream) {
  if (opened_ >= theirs_.streams) return fail(Code::kLimitStreams, "the peer takes no more streams", theirs_.streams);
  const std::uint64_t id = 2 * opened_++ + (dialer_ ? 0 : 1);
  Wire& wire = wires_[id];
  wire.id = id;
  wire.stream = &stream;
  wire.credit = theirs_.stream_data;
  wire.allowed = limits_.stream_window;
  stream.wire_id = static_cast<std::int64_t>(id);
  stream.carried = &wire;
  return {};
}

void StreamEngine::give_credit(mux::StreamState& stream, std::size_t n) {
  consumed_ += n;
  if (allowed_ - consumed_ <= limits_.connection_window / 2) {
    max_data_due_ = true;
    wake();
  }
  if (!stream.in_engine) return;
  Wire& wire = *static_cast<Wire*>(stream.carried);
  wire.consumed += n;
  if (wire.final_size || wire.deaf || wire.allowed - wire.consumed > limits_.stream_window / 2) return;
  wire.credit_due = true;
  list(wire);
}

void StreamEngine::stop(mux::StreamState& stream, std::uint64_t code) {
  Wire& wire = *static_cast<Wire*>(stream.carried);
  if (wire.over || std::exchange(wire.deaf, true) || wire.receiving_over) return;
  if (wire.final_size) return finish_receiving(wire);
  wire.stop_code = code;
  wire.stop_due = true;
  list(wire);
}

void StreamEngine::reset(mux::StreamState& stream, std::uint64_t code) {
  Wire& wire = *static_cast<Wire*>(stream.carried);
  if (wire.over) return;
  if (!wire.sending_over && !wire.aborted) cut_off(wire, code);
  stop(stream, code);
}

void StreamEngine::cut_off(Wire& wire, std::uint64_t code) {
  wire.aborted = ResetFrame{wire.id, std::min(code, kVarintMax), wire.stream->send.sent_end()};
  wire.lost.clear();
  wire.reset_due = true;
  list(wire);
}

void StreamEngine::forget_inbound() {
  ++inbound_allowed_;
  max_streams_due_ = true;
  wake();
}

void StreamEngine::list(Wire& wire) {
  if (!std::exchange(wire.listed, true)) control_.push_back(wire.id);
  wake();
}

void StreamEngine::repeat(Wire& wire) {
  if (!std::exchange(wire.repeating, true)) repeats_.push_back(wire.id);
  wake();
}

// --- what became of what was sent

void StreamEngine::on_acknowledged(const SentFrame& frame) {
  using Kind = SentFrame::Kind;
  if (frame.kind != Kind::kStream && frame.kind != Kind::kReset) return;
  Wire* wire = find(frame.id);
  if (wire == nullptr || wire->sending_over) return;
  if (frame.kind == Kind::kReset) {
    wire->sending_over = true;
    return end_if_over(*wire);
  }
  if (wire->aborted) return;
  const Range range{frame.offset, frame.offset + frame.size};
  wire->acknowledged.add(range);
  wire->lost.remove(range);
  if (frame.end) wire->end = End::kAcknowledged;
  const bool from_begin = !wire->acknowledged.empty() && wire->acknowledged.front().begin == 0;
  const std::uint64_t before = std::exchange(wire->arrived_to, from_begin ? wire->acknowledged.front().end : 0);
  if (wire->arrived_to > before) streams_.on_acknowledged(*wire->stream, before, wire->arrived_to - before);
  if (wire->end != End::kAcknowledged) return;
  if (wire->stream->end_pending) streams_.on_acknowledged(*wire->stream, wire->arrived_to, 0);
  if (wire->arrived_to < wire->stream->send.sent_end()) return;
  wire->sending_over = true;
  end_if_over(*wire);
}

void StreamEngine::on_lost(const SentFrame& frame) {
  using Kind = SentFrame::Kind;
  if (frame.kind == Kind::kMaxData) max_data_due_ = true;
  if (frame.kind == Kind::kMaxStreams) max_streams_due_ = true;
  if (frame.kind == Kind::kMessage || frame.kind == Kind::kSkip) return;
  Wire* wire = find(frame.id);
  if (wire == nullptr) return;
  switch (frame.kind) {
    case Kind::kStream:
      if (wire->aborted || wire->sending_over) return;
      wire->lost.add({frame.offset, frame.offset + frame.size});
      for (const Range& range : wire->acknowledged.ranges()) wire->lost.remove(range);
      if (frame.end && wire->end != End::kAcknowledged) wire->end = End::kLost;
      if (!wire->lost.empty() || wire->end == End::kLost) repeat(*wire);
      return;
    case Kind::kReset:
      wire->reset_due = !wire->sending_over;
      return list(*wire);
    case Kind::kStop:
      wire->stop_due = !wire->receiving_over;
      return list(*wire);
    case Kind::kMaxStreamData:
      wire->credit_due = !wire->final_size && !wire->deaf;
      return list(*wire);
    default: return;
  }
}

// --- sending

bool StreamEngine::pending() const {
  if (max_data_due_ || max_streams_due_ || !control_.empty() || !repeats_.empty()) return true;
  const mux::StreamState* next = streams_.next_to_send();
  return next != nullptr && (sent_ < theirs_.data || next->send.unsent_size() == 0);
}

void StreamEngine::fill(PacketBuilder& packet) {
  settle();
  put_connection_frames(packet);
  put_control(packet);
  put_repeats(packet);
  put_fresh(packet);
}

void StreamEngine::put_connection_frames(PacketBuilder& packet) {
  using Kind = SentFrame::Kind;
  if (max_data_due_ && packet.room() >= kControlFrameMax) {
    max_data_due_ = false;
    allowed_ = consumed_ + limits_.connection_window;
    packet.add(MaxDataFrame{allowed_}, {.kind = Kind::kMaxData});
  }
  if (max_streams_due_ && packet.room() >= kControlFrameMax) {
    max_streams_due_ = false;
    packet.add(MaxStreamsFrame{inbound_allowed_}, {.kind = Kind::kMaxStreams});
  }
}

void StreamEngine::put_control(PacketBuilder& packet) {
  using Kind = SentFrame::Kind;
  while (!control_.empty() && packet.room() >= 3 * kControlFrameMax) {
    Wire* wire = find(control_.front());
    control_.pop_front();
    if (wire == nullptr) continue;
    wire->listed = false;
    if (std::exchange(wire->reset_due, false)) packet.add(*wire->aborted, {.kind = Kind::kReset, .id = wire->id});
    if (std::exchange(wire->stop_due, false) && !wire->receiving_over) {
      packet.add(StopFrame{wire->id, std::min(wire->stop_code, kVarintMax)}, {.kind = Kind::kStop, .id = wire->id});
    }
    if (std::exchange(wire->credit_due, false) && !wire->final_size && !wire->deaf) {
      wire->allowed = wire->consumed + limits_.stream_window;
      packet.add(MaxStreamDataFrame{wire->id, wire->allowed}, {.kind = Kind::kMaxStreamData, .id = wire->id});
    }
  }
}

void StreamEngine::put_repeats(PacketBuilder& packet) {
  while (!repeats_.empty() && packet.room() > kStreamFrameOverhead) {
    Wire* wire = find(repeats_.front());
    if (wire != nullptr && put_lost(*wire, packet)) continue;
    if (wire != nullptr) wire->repeating = false;
    repeats_.pop_front();
  }
}

/// One frame of what was lost of the stream. False: nothing is.
bool StreamEngine::put_lost(Wire& wire, PacketBuilder& packet) {
  if (wire.aborted || wire.sending_over) return false;
  const std::uint64_t sent_end = wire.stream->send.sent_end();
  if (wire.lost.empty() && wire.end != End::kLost) return false;
  StreamFrame frame{wire.id, sent_end, {}, false};
  if (!wire.lost.empty()) {
    const Range range = wire.lost.front();
    const std::size_t most = std::min<std::uint64_t>(range.end - range.begin, packet.room() - kStreamFrameOverhead);
    frame.offset = range.begin;
    frame.bytes = wire.stream->send.sent_piece(range.begin, most);
    wire.lost.remove({range.begin, range.begin + frame.bytes.size()});
  }
  frame.end = wire.end == End::kLost && frame.offset + frame.bytes.size() == sent_end;
  if (frame.end) wire.end = End::kSent;
  packet.add(frame, {.kind = SentFrame::Kind::kStream, .end = frame.end, .id = wire.id, .offset = frame.offset,
                     .size = frame.bytes.size()});
  return true;
}

void StreamEngine::put_fresh(PacketBuilder& packet) {
  while (packet.room() > kStreamFrameOverhead) {
    mux::StreamState* stream = streams_.next_to_send();
    if (stream == nullptr) return;
    Wire& wire = *static_cast<Wire*>(stream->carried);
    const std::size_t unsent = stream->send.unsent_size();
    const std::uint64_t offset = stream->send.sent_end();
    const bool ends = stream->sending == mux::SendState::kFinishing;
    if (unsent > 0 ? wire.credit <= offset : !ends) {
      streams_.wait_for_room(*stream);
      continue;
    }
    if (unsent > 0 && sent_ >= theirs_.data) return;  // until MAX_DATA
    ByteView bytes;
    if (unsent > 0) {
      std::array<ByteView, 1> piece;
      static_cast<void>(stream->send.unsent(piece));
      bytes = piece[0].first(std::min<std::uint64_t>(
          {piece[0].size(), wire.credit - offset, theirs_.data - sent_, packet.room() - kStreamFrameOverhead,
           streams_.sendable(*stream)}));
    }
    const bool last = ends && bytes.size() == unsent;
    packet.add(StreamFrame{wire.id, offset, bytes, last},
               {.kind = SentFrame::Kind::kStream, .end = last, .id = wire.id, .offset = offset, .size = bytes.size()});
    sent_ += bytes.size();
    if (last) wire.end = End::kSent;
    streams_.sent(*stream, bytes.size(), last);
  }
}

// --- endings

void StreamEngine::end_if_over(Wire& wire) {
  if (!wire.sending_over || !wire.receiving_over || std::exchange(wire.over, true)) return;
  over_.push_back(wire.id);
  wake();
}

void StreamEngine::settle() {
  while (!over_.empty()) {
    const auto it = wires_.find(over_.back());
    over_.pop_back();
    P2PA_ASSERT(it != wires_.end());
    mux::StreamState& stream = *it->second.stream;
    stream.carried = nullptr;
    wires_.erase(it);
    streams_.on_closed(stream, wire_code::kNone);
  }
}

}  // namespace p2pa::udp
