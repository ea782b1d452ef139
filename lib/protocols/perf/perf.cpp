#include "protocols/perf/perf.hpp"

#include <algorithm>
#include <utility>

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"

namespace p2pa::perf {

namespace {

constexpr std::array<std::uint8_t, 64 * 1024> kZeros{};

}  // namespace

std::vector<std::string> Perf::protocol_ids() const {
  if (!serve_) return {};
  return {std::string(kProtocolId)};
}

// --- the client

void Perf::measure(Instant now, const PeerId& peer, std::uint64_t upload, std::uint64_t download,
                   PerfCallback done) {
  if (transfers_.size() - served_ >= kMeasuredMax) return refused_.push_back(std::move(done));
  const std::uint64_t tag = next_tag_++;
  Transfer& transfer = transfers_[tag];
  transfer.to_send = transfer.upload = upload;
  transfer.expected = download;
  transfer.done = std::move(done);
  touch(now, tag);
  opener_.open_stream(peer, kProtocolId, *this, tag, {});
}

void Perf::on_turn(Instant) {
  for (PerfCallback& done : std::exchange(refused_, {})) {
    done(fail(Code::kRateLimited, "too many measurements at once", kMeasuredMax));
  }
}

void Perf::receive_answer(Instant now, Transfers::iterator it) {
  Transfer& transfer = it->second;
  Stream& stream = *transfer.stream;
  const bool over = stream.at_end();
  if (stream.peek().empty() && !over) return;
  if (transfer.phase == Phase::kUploading) {
    return give_up(it, {Code::kProtocolViolation, 0, "perf: an answer before the end of the upload"},
                   wire_code::kStreamProtocolViolation);
  }
  if (transfer.phase == Phase::kSaidAll) {
    transfer.phase = Phase::kDownloading;
    transfer.answered = transfer.upload == 0 ? transfer.started : now;
  }
  while (!stream.peek().empty()) {
    transfer.received += stream.peek().size();
    stream.consume(stream.peek().size());
  }
  if (transfer.received > transfer.expected) {
    return give_up(it, {Code::kProtocolViolation, transfer.expected, "perf: more than asked for"},
                   wire_code::kStreamProtocolViolation);
  }
  if (!stream.at_end()) return touch(now, it->first);
  if (transfer.received < transfer.expected) {
    return give_up(it, {Code::kTruncated, transfer.received, "perf: less than asked for"}, wire_code::kNone);
  }
  finish(it, PerfResult{transfer.upload, transfer.received, transfer.answered - transfer.started,
                        now - transfer.answered});
}

// --- the server

void Perf::receive_upload(Instant now, Transfers::iterator it) {
  Transfer& transfer = it->second;
  Stream& stream = *transfer.stream;
  for (ByteView here = stream.peek(); !here.empty(); here = stream.peek()) {
    const std::size_t known = std::min<std::uint64_t>(transfer.received, transfer.wanted.size());
    const std::size_t n = std::min(here.size(), transfer.wanted.size() - known);
    std::copy_n(here.begin(), n, transfer.wanted.begin() + static_cast<std::ptrdiff_t>(known));
    transfer.received += here.size();
    stream.consume(here.size());
  }
  touch(now, it->first);
  if (!stream.at_end() || transfer.phase != Phase::kUploading) return;
  if (transfer.received < transfer.wanted.size()) {
    return give_up(it, {Code::kTruncated, 0, "perf: no request"}, wire_code::kStreamProtocolViolation);
  }
  ByteReader reader(transfer.wanted);
  transfer.to_send = *reader.big_endian<std::uint64_t>();
  transfer.phase = Phase::kDownloading;
  pump(now, it);
}

// --- both

bool Perf::send_zeros(Transfer& transfer) {
  while (transfer.to_send > 0) {
    const std::size_t n = std::min<std::uint64_t>(transfer.to_send, kZeros.size());
    const auto taken = transfer.stream->write(ByteView(kZeros).first(n));
    if (!taken) return false;  // the peer reads no more; the stream's end follows
    transfer.to_send -= *taken;
    if (*taken < n) return false;
  }
  return true;
}

void Perf::pump(Instant now, Transfers::iterator it) {
  Transfer& transfer = it->second;
  touch(now, it->first);
  if (!send_zeros(transfer)) return;
  transfer.stream->finish();
  transfer.phase = Phase::kSaidAll;
}

bool Perf::take_place(const PeerId& peer) {
  if (served_ >= kServedMax) return false;
  std::uint32_t& places = served_to_[peer];
  if (places >= kServedPerPeerMax) return false;
  ++places;
  ++served_;
  return true;
}

void Perf::leave_place(const PeerId& peer) {
  const auto it = served_to_.find(peer);
  if (--it->second == 0) served_to_.erase(it);
  --served_;
}

void Perf::finish(Transfers::iterator it, Result<PerfResult> result) {
  PerfCallback done = std::move(it->second.done);
  if (it->second.stream != nullptr) it->second.stream->set_tag(0);
  timers_.cancel(it->first);
  if (it->second.served) leave_place(it->second.peer);
  transfers_.erase(it);
  if (done) done(std::move(result));
}

void Perf::give_up(Transfers::iterator it, const Error& why, std::uint64_t code) {
  if (it->second.stream != nullptr) it->second.stream->reset(code);
  finish(it, std::unexpected(why));
}

void Perf::on_deadline(Instant now) {
  while (const auto tag = timers_.pop_due(now)) {
    give_up(transfers_.find(*tag), {Code::kTimeout, 0, "perf: nothing moved"},
            wire_code::kStreamGarbageCollected);
  }
}

// --- streams

void Perf::on_stream_open(Instant now, Stream& stream) {
  if (!stream.outbound()) {
    if (!take_place(stream.peer())) return stream.reset(wire_code::kStreamResourceLimit);
    stream.set_tag(next_tag_++);
  }
  const auto it = stream.outbound() ? transfers_.find(stream.tag())
                                    : transfers_.try_emplace(stream.tag()).first;
  if (it == transfers_.end()) return stream.reset(wire_code::kStreamGarbageCollected);
  Transfer& transfer = it->second;
  transfer.stream = &stream;
  transfer.phase = Phase::kUploading;
  transfer.started = now;
  transfer.served = !stream.outbound();
  if (transfer.served) {
    transfer.peer = stream.peer();
    return touch(now, it->first);
  }
  Bytes request;
  ByteWriter(request).big_endian(transfer.expected);
  const auto taken = stream.write(request);
  if (taken && *taken < request.size()) {
    return give_up(it, {Code::kLimitMemory, 0, "perf: no memory for a request"}, wire_code::kStreamResourceLimit);
  }
  pump(now, it);
}

void Perf::on_stream_failed(Instant, std::uint64_t tag, const Error& why) {
  const auto it = transfers_.find(tag);
  if (it != transfers_.end()) finish(it, std::unexpected(why));
}

void Perf::on_readable(Instant now, Stream& stream) {
  const auto it = transfers_.find(stream.tag());
  if (it == transfers_.end()) return;
  if (stream.outbound()) {
    receive_answer(now, it);
  } else {
    receive_upload(now, it);
  }
}

void Perf::on_writable(Instant now, Stream& stream) {
  const auto it = transfers_.find(stream.tag());
  if (it == transfers_.end()) return;
  const Phase sending = stream.outbound() ? Phase::kUploading : Phase::kDownloading;
  if (it->second.phase == sending) pump(now, it);
}

void Perf::on_stream_closed(Instant, Stream& stream, const Error& why) {
  const auto it = transfers_.find(stream.tag());
  if (it == transfers_.end()) return;
  const Error ended{Code::kTruncated, it->second.received, "perf: the stream ended"};
  it->second.stream = nullptr;
  finish(it, std::unexpected(why.code == Code::kOk ? ended : why));
}

}  // namespace p2pa::perf
