#include "transport/yamux/session.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/assert.hpp"

namespace p2pa::yamux {
namespace {

constexpr std::uint32_t kIdMax = UINT32_MAX - 2;
/// A window that turns over within so many round trips is what holds the sender back.
constexpr int kTurnoverRoundTrips = 4;
constexpr std::size_t kPiecesMax = 20;  // of a send buffer, in one frame

constexpr Error kNotRead{Code::kRateLimited, kAnswersMax, "yamux: the peer wants answers and does not read them"};

std::uint32_t code_on_wire(std::uint64_t code) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(code, UINT32_MAX));
}

}  // namespace

Session::Session(const Config& config, mux::Streams& streams, const Limits& limits, Owner& owner, Instant now)
    : config_(config),
      streams_(streams),
      limits_(limits),
      owner_(owner),
      next_id_(config.dialer ? 1 : 2),
      now_(now),
      heard_at_(now),
      measured_at_(now),
      pinged_at_(now) {}

Session::Wire* Session::find(std::uint32_t id) {
  const auto it = wires_.find(id);
  return it == wires_.end() || it->second.over ? nullptr : &it->second;
}

// --- receiving

Result<void> Session::receive(Instant now, ByteView bytes) {
  now_ = heard_at_ = now;
  settle();
  while (!bytes.empty()) {
    if (body_left_ > 0) {
      const ByteView part = bytes.first(std::min<std::size_t>(bytes.size(), body_left_));
      bytes = bytes.subspan(part.size());
      body_left_ -= static_cast<std::uint32_t>(part.size());
      on_body(part);
      continue;
    }
    const std::size_t n = std::min(bytes.size(), kFrameHeaderSize - header_size_);
    std::memcpy(header_.data() + header_size_, bytes.data(), n);
    bytes = bytes.subspan(n);
    header_size_ += n;
    if (header_size_ < kFrameHeaderSize) break;
    header_size_ = 0;
    const auto frame = decode_frame(header_);
    if (!frame) return fail(Code::kProtocolViolation, frame.error().why, frame.error().detail);
    if (auto fine = on_frame(*frame); !fine) return fine;
  }
  return {};
}

Result<void> Session::on_frame(const Frame& frame) {
  switch (frame.type) {
    case FrameType::kGoAway:
      gone_ = frame.length;
      return {};
    case FrameType::kPing:
      if (frame.has(kSyn)) return answer({FrameType::kPing, kAck, 0, frame.length});
      on_ping(frame);
      return {};
    default: return on_stream_frame(frame);
  }
}

Result<void> Session::on_stream_frame(const Frame& frame) {
  Wire* wire = find(frame.stream);
  if (frame.has(kSyn)) {
    if (opened_here(frame.stream) || wires_.contains(frame.stream)) {
      return fail(Code::kProtocolViolation, "yamux: a stream was opened that cannot be", frame.stream);
    }
    if (answers_count() >= kAnswersMax) return std::unexpected(kNotRead);
    wire = accept(frame.stream);
    const Frame refusal{FrameType::kWindowUpdate, kRst, frame.stream, wire_code::kStreamResourceLimit};
    if (wire == nullptr) {
      streams_.on_refused();
      if (auto fine = answer(refusal); !fine) return fine;
    }
  }
  const bool data = frame.type == FrameType::kData;
  if (frame.has(kRst)) {
    if (wire != nullptr) on_reset(*wire, data ? wire_code::kNone : frame.length);
    wire = nullptr;
  }
  if (data) return on_data(wire, frame);
  if (wire == nullptr) return {};
  on_window(*wire, frame.length);
  if (frame.has(kFin)) {
    body_stream_ = frame.stream;
    body_ends_ = true;
    on_body({});
  }
  return {};
}

Session::Wire* Session::accept(std::uint32_t id) {
  if (inbound_ >= limits_.streams_inbound_per_connection_max) return nullptr;
  ++inbound_;
  Wire& wire = wires_.emplace(id, Wire{.id = id, .stream = nullptr}).first->second;
  wire.stream = &streams_.on_opened(id);
  wire.stream->carried = &wire;
  wire.window_moved = now_;
  wire.ack_due = true;
  list(wire);
  return &wire;
}

void Session::list(Wire& wire) {
  if (!std::exchange(wire.listed, true)) updates_.push_back(wire.id);
  wake();
}

/// `wire` null: it is over here, and the peer does not know yet.
Result<void> Session::on_data(Wire* wire, const Frame& frame) {
  if (wire != nullptr) {
    if (frame.length > wire->receive_credit) {
      return fail(Code::kProtocolViolation, "yamux: more than the window allows", frame.stream);
    }
    if (wire->end_received) return fail(Code::kProtocolViolation, "yamux: data after the end", frame.stream);
    wire->receive_credit -= frame.length;
  }
  body_left_ = frame.length;
  body_stream_ = wire == nullptr ? 0 : frame.stream;
  body_ends_ = frame.has(kFin);
  if (frame.length == 0) on_body({});
  return {};
}

void Session::on_body(ByteView part) {
  Wire* wire = find(body_stream_);
  if (wire == nullptr) return;
  const bool ends = body_ends_ && body_left_ == 0;
  if (part.empty() && !ends) return;
  if (ends) {
    if (wire->end_received) return;
    wire->end_received = true;
  }
  streams_.on_data(*wire->stream, part, ends);
  if (ends && !wire->over) end_if_over(*wire);
}

void Session::on_window(Wire& wire, std::uint32_t credit) {
  constexpr std::uint64_t kCreditMax = std::uint64_t{1} << 40;  // beyond it nobody counts
  wire.send_credit = std::min(wire.send_credit + credit, kCreditMax);
  if (credit > 0 && !wire.end_sent) streams_.on_room(*wire.stream);
}

void Session::on_reset(Wire& wire, std::uint64_t code) {
  wire.code = code;
  streams_.on_reset(*wire.stream, code);
  end(wire);
}

void Session::on_ping(const Frame& frame) {
  const auto ping = std::ranges::find(pings_, frame.length, &Ping::value);
  if (ping == pings_.end() || !frame.has(kAck)) return;
  measured(now_ - ping->at);
  measured_at_ = now_;
  confirmed_ = ping->written;
  bulk_confirmed_ = ping->bulk;
  pings_.erase(pings_.begin(), ping + 1);
  ahead_.on_confirmed(now_, bulk_confirmed_, rtt_min_);
  if (bulk_held_) wake();
}

void Session::ask_confirmation() {
  confirmation_asked_ = true;
  wake();
}

/// RFC 6298 §2, without its granularity.
void Session::measured(Duration sample) {
  if (rtt_.ns == 0) {
    rtt_ = rtt_min_ = sample;
    rtt_variance_ = {sample.ns / 2};
    return;
  }
  const std::int64_t difference = rtt_.ns > sample.ns ? rtt_.ns - sample.ns : sample.ns - rtt_.ns;
  rtt_variance_ = {(rtt_variance_.ns * 3 + difference) / 4};
  rtt_ = {(rtt_.ns * 7 + sample.ns) / 8};
  rtt_min_ = std::min(rtt_min_, sample);
}

Result<void> Session::answer(const Frame& frame) {
  if (answers_count() >= kAnswersMax) return std::unexpected(kNotRead);
  answers_.push_back(frame);
  wake();
  return {};
}

// --- what Streams asks

Result<void> Session::open(mux::StreamState& stream) {
  if (gone_) return fail(Code::kClosed, "the peer takes no more streams on this connection", *gone_);
  if (next_id_ >= kIdMax) return fail(Code::kInvalidState, "the connection has used up its stream numbers");
  if (outbound_ >= kOutboundStreamsMax) {
    return fail(Code::kLimitStreams, "as many streams as the peer surely takes", kOutboundStreamsMax);
  }
  const std::uint32_t id = next_id_;
  next_id_ += 2;
  ++outbound_;
  Wire& wire = wires_.emplace(id, Wire{.id = id, .stream = &stream}).first->second;
  wire.window_moved = now_;
  wire.syn_due = true;
  stream.wire_id = id;
  stream.carried = &wire;
  return {};
}

void Session::give_credit(mux::StreamState& stream, std::size_t) {
  if (!stream.in_engine) return;
  Wire& wire = *static_cast<Wire*>(stream.carried);
  if (!wire.over && !wire.syn_due && credit_due(wire) > 0) list(wire);
}

void Session::stop(mux::StreamState& stream, std::uint64_t) {
  Wire& wire = *static_cast<Wire*>(stream.carried);
  wire.deaf = true;
  end_if_over(wire);
}

void Session::reset(mux::StreamState& stream, std::uint64_t code) {
  Wire& wire = *static_cast<Wire*>(stream.carried);
  if (wire.over) return;
  if (!wire.syn_due) answers_.push_back({FrameType::kWindowUpdate, kRst, wire.id, code_on_wire(code)});
  end(wire);
}

void Session::go_away(std::uint32_t code) {
  answers_.push_back({FrameType::kGoAway, 0, 0, code});
  wake();
}

// --- sending

std::size_t Session::fill(Instant now, MutableBytes out) {
  now_ = now;
  settle();
  std::size_t at = 0;
  while (!answers_.empty() && out.size() - at >= kFrameHeaderSize) {
    at = put(answers_.front(), out, at);
    answers_.pop_front();
  }
  at = put_updates(out, at);
  if ((ping_due_ && pings_.size() < kPingsMax) || confirmation_due()) at = put_ping(out, at);
  while (out.size() - at >= kFrameRoomMin) {
    hold_bulk();
    mux::StreamState* stream = streams_.next_to_send();
    if (stream == nullptr) break;
    at = put_data(*stream, out, at);
    if (confirmation_due()) at = put_ping(out, at);
  }
  if (confirmation_due()) at = put_ping(out, at);
  return at;
}

bool Session::confirmation_due() const {
  const std::uint64_t fresh = written_ - written_at_ping_;
  if (fresh == 0 || pings_.size() >= kPingsMax) return false;
  if (bulk_written_ - bulk_at_ping_ >= ahead_.most() / kConfirmationsAhead) return true;
  if (!confirmation_asked_) return fresh >= kConfirmBytes;
  return fresh >= kConfirmBytesAsked || !streams_.something_to_send();
}

void Session::hold_bulk() {
  bulk_held_ = ahead_.holds(bulk_written_ - bulk_confirmed_);
  streams_.hold_bulk(bulk_held_);
}

std::size_t Session::put_ping(MutableBytes out, std::size_t at) {
  if (out.size() - at < kFrameHeaderSize) return at;
  ping_due_ = false;
  pinged_at_ = now_;
  pings_.push_back({++ping_value_, now_, written_, bulk_written_});
  written_at_ping_ = written_;
  bulk_at_ping_ = bulk_written_;
  return put({FrameType::kPing, kSyn, 0, ping_value_}, out, at);
}

std::size_t Session::put(const Frame& frame, MutableBytes out, std::size_t at) {
  const auto bytes = encode_frame(frame);
  std::memcpy(out.data() + at, bytes.data(), bytes.size());
  return at + bytes.size();
}

std::size_t Session::put_updates(MutableBytes out, std::size_t at) {
  std::size_t done = 0;
  for (; done < updates_.size() && out.size() - at >= kFrameHeaderSize; ++done) {
    Wire* wire = find(updates_[done]);
    if (wire == nullptr) continue;
    wire->listed = false;
    if (credit_due(*wire) > 0) widen(*wire);
    const std::uint32_t credit = credit_due(*wire);
    // An acknowledgement alone rides on what the stream is about to say.
    const bool rides = credit == 0 && (!wire->ack_due || wire->stream->send_queued);
    if (rides) continue;
    wire->receive_credit += credit;
    wire->window_moved = now_;
    at = put({FrameType::kWindowUpdate, take_flags(*wire), wire->id, credit}, out, at);
  }
  updates_.erase(updates_.begin(), updates_.begin() + static_cast<std::ptrdiff_t>(done));
  return at;
}

std::uint32_t Session::credit_due(const Wire& wire) const {
  if (wire.end_received) return 0;
  const std::size_t arriving = body_stream_ == wire.id ? body_left_ : 0;  // announced, and still to be kept
  const std::size_t held = wire.receive_credit + arriving + wire.stream->receive.size();
  const std::size_t due = wire.window - std::min<std::size_t>(wire.window, held);
  return due >= wire.window / 2 ? static_cast<std::uint32_t>(due) : 0;
}

/// Doubles the window of a stream that turned it over quickly.
void Session::widen(Wire& wire) {
  if (rtt_.ns == 0 || now_ - wire.window_moved > rtt_ * kTurnoverRoundTrips) return;
  const std::size_t most = std::clamp<std::size_t>(limits_.stream_window, kWindowInitial, kWindowMax);
  const std::size_t left = limits_.connection_window - std::min(limits_.connection_window, widened_);
  const std::size_t more = std::min({std::size_t{wire.window}, most - std::min<std::size_t>(most, wire.window), left});
  wire.window += static_cast<std::uint32_t>(more);
  widened_ += more;
}

std::uint16_t Session::take_flags(Wire& wire) {
  std::uint16_t flags = 0;
  if (std::exchange(wire.syn_due, false)) flags |= kSyn;
  if (std::exchange(wire.ack_due, false)) flags |= kAck;
  return flags;
}

/// The next frame of the stream whose turn it is.
std::size_t Session::put_data(mux::StreamState& stream, MutableBytes out, std::size_t at) {
  Wire& wire = *static_cast<Wire*>(stream.carried);
  const std::size_t unsent = stream.send.unsent_size();
  const bool credit = wire.send_credit > 0 || unsent == 0;
  const bool ends = stream.sending == mux::SendState::kFinishing;
  if (!credit || (unsent == 0 && !ends)) {
    streams_.wait_for_room(stream);
    return at;
  }
  const std::size_t room = out.size() - at - kFrameHeaderSize;
  std::size_t size = std::min<std::uint64_t>({streams_.sendable(stream), wire.send_credit, room});
  if (streams_.others_to_send()) size = std::min(size, kFrameBytesShared);
  std::array<ByteView, kPiecesMax> pieces;
  const std::size_t count = stream.send.unsent(pieces);
  std::size_t body = at + kFrameHeaderSize, left = size;
  for (std::size_t i = 0; i < count && left > 0; ++i) {
    const ByteView piece = pieces[i].first(std::min(left, pieces[i].size()));
    std::memcpy(out.data() + body, piece.data(), piece.size());
    body += piece.size();
    left -= piece.size();
  }
  size -= left;  // there were more pieces than that
  // An end goes alone: js-libp2p and go-yamux act on it before they keep the body of its frame, and may lose that.
  const bool last = ends && unsent == 0;
  std::uint16_t flags = take_flags(wire);
  if (last) flags |= kFin;
  put({FrameType::kData, flags, wire.id, static_cast<std::uint32_t>(size)}, out, at);
  wire.send_credit -= size;
  written_ += size + (last ? 1 : 0);
  if (stream.priority == Priority::kBulk) bulk_written_ += size;
  streams_.sent(stream, size, last);
  // The byte stream below keeps it from here on.
  streams_.on_acknowledged(stream, stream.send.sent_end() - size, size);
  if (last) {
    wire.end_sent = true;
    end_if_over(wire);
  }
  return body;
}

// --- time

Instant Session::next_deadline() const {
  const Instant lost = heard_at_ + config_.idle_timeout;
  if (ping_due_) return lost;
  // The dialer keeps the connection alive; a little later the other end would. Who is busy may have dropped a
  // ping of ours (go-yamux does): another one is as good.
  Instant ping = config_.dialer ? std::max(measured_at_, pinged_at_) + kMeasureInterval : kNever;
  const Duration period = config_.dialer ? config_.keep_alive : config_.keep_alive * 9 / 8;
  if (bulk_held_) ping = std::min(ping, pinged_at_ + kConfirmAgain);
  if (period.ns > 0) ping = std::min(ping, std::max(heard_at_, pinged_at_) + period);
  return std::min(ping, lost);
}

Result<void> Session::on_deadline(Instant now) {
  now_ = now;
  if (now >= heard_at_ + config_.idle_timeout) {
    return fail(Code::kConnectionLost, "nothing was heard for too long");
  }
  if (!ping_due_ && now >= next_deadline()) {
    ping_due_ = true;
    wake();
  }
  return {};
}

void Session::probe() {
  ping_due_ = true;
  wake();
}

// --- endings

void Session::end_if_over(Wire& wire) {
  if (wire.end_sent && (wire.end_received || wire.deaf)) end(wire);
}

void Session::end(Wire& wire) {
  if (std::exchange(wire.over, true)) return;
  over_.push_back(wire.id);
  wake();
}

void Session::settle() {
  while (!over_.empty()) {
    const std::uint32_t id = over_.back();
    over_.pop_back();
    const auto it = wires_.find(id);
    P2PA_ASSERT(it != wires_.end());
    widened_ -= it->second.window - kWindowInitial;
    const std::uint64_t code = it->second.code;
    mux::StreamState& stream = *it->second.stream;
    stream.carried = nullptr;
    wires_.erase(it);
    const bool ours = opened_here(id);
    if (ours) --outbound_;
    streams_.on_closed(stream, code);
    if (ours) streams_.on_streams_available();
  }
}

}  // namespace p2pa::yamux
