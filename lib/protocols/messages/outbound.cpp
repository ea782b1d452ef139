#include "protocols/messages/outbound.hpp"

#include <algorithm>
#include <utility>

#include "base/byte_writer.hpp"

namespace p2pa::messages {

Outbound::Outbound(std::uint64_t id, const PeerId& peer, const MessageChannelOptions& options, Timers& timers,
                   const Instant& now, MessageChannelCallback opened)
    : id_(id),
      peer_(peer),
      options_(options),
      timers_(timers),
      now_(now),
      encoder_({.ratio_max = options.repair_max}),
      opened_(std::move(opened)) {}

// --- opening and ending

Result<void> Outbound::greet(Stream& stream, std::uint32_t tag, resource::Manager& resources) {
  stream_ = &stream;
  tag_ = tag;
  if (stream.connection().datagram_size_max() == 0) {
    return fail(Code::kUnsupported, "the connection to the peer takes no datagrams");
  }
  auto memory = resources.memory(peer_, kBytesMax);
  if (!memory) return std::unexpected(memory.error());
  memory_ = std::move(*memory);
  Bytes frame;
  append_frame(frame, Hello{tag});
  // A fresh stream takes so few bytes; if it does not, the patience ends.
  static_cast<void>(stream.write(frame));
  return {};
}

Result<void> Outbound::read() {
  Stream& stream = *stream_;
  for (ByteView here = stream.peek(); !here.empty(); here = stream.peek()) {
    const auto step = frames_.next(here);
    if (!step) return std::unexpected(step.error());
    if (step->frame) {
      const auto report = decode_report(*step->frame);
      if (!report) return std::unexpected(report.error());
      on_report(*report);
    }
    stream.consume(step->consumed);
  }
  if (!stream.at_end()) return {};
  if (state_ == State::kOpening) return fail(Code::kTruncated, "messages: the peer ended the stream");
  close();
  return {};
}

void Outbound::on_report(const fec::LossReport& report) {
  encoder_.on_report(report);
  const Duration rtt = stream_->connection().stats(now_).rtt;
  const Duration deadline = options_.deadline.ns > 0 ? options_.deadline : rtt;
  encoder_.set_repair_time(deadline - rtt / 2);
  if (state_ != State::kOpening) return;
  state_ = State::kOpen;
  timers_.cancel(id_);
  std::exchange(opened_, {})(this);
}

void Outbound::close() {
  if (state_ == State::kClosing || stream_ == nullptr) return;
  state_ = State::kClosing;
  timers_.cancel(id_);
  stream_->finish();
}

void Outbound::end(const Error& why) {
  timers_.cancel(id_);
  const bool by_itself = why.code == Code::kOk && state_ == State::kOpening;
  const Error error = by_itself ? Error{Code::kStreamReset, 0, "messages: the peer ended the stream"} : why;
  if (opened_) return std::exchange(opened_, {})(std::unexpected(error));
  state_ = State::kClosing;
  if (on_end_) on_end_(*this, error);
}

// --- sending

std::size_t Outbound::payload_max() const {
  constexpr std::size_t kOverhead = kTagBytes + fec::kPacketOverheadMax;
  constexpr std::size_t kLeast = kOverhead + kPieceHeaderBytes + 1;
  const std::size_t datagram = std::max(stream_->connection().datagram_size_max(), kLeast);
  return std::min(datagram - kOverhead, fec::kBodyBytesMax) - kPieceHeaderBytes;
}

Result<void> Outbound::send(ByteView message) {
  if (state_ != State::kOpen) return fail(Code::kStreamFinished, "the channel is closed");
  const std::size_t payload = payload_max();
  const std::size_t count = std::max<std::size_t>(1, (message.size() + payload - 1) / payload);
  if (count > kPiecesMax) return fail(Code::kMessageTooLarge, "the message is too large", size_max());
  // All of about one size: a repair is as long as the longest of what it repairs.
  const std::size_t size = (message.size() + count - 1) / count;
  for (std::size_t i = 0; i < count; ++i) {
    const ByteView piece = message.subspan(i * size, std::min(size, message.size() - i * size));
    const auto sent = send_piece({static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(count), piece});
    if (!sent) return sent;
  }
  ++messages_;
  send_repairs();
  return {};
}

Result<void> Outbound::send_piece(const Piece& piece) {
  body_.clear();
  append_piece(body_, piece);
  datagram_.clear();
  ByteWriter(datagram_).big_endian(tag_);
  encoder_.append_source(datagram_, body_);
  auto sent = stream_->connection().send_datagram(datagram_);
  if (sent) encoder_.sent(now_, body_);
  return sent;
}

void Outbound::send_repairs() {
  for (;;) {
    datagram_.clear();
    ByteWriter(datagram_).big_endian(tag_);
    if (!encoder_.poll_repair(now_, datagram_)) break;
    // Where messages wait for the congestion window a repair would only wait behind them: it may be dropped.
    static_cast<void>(stream_->connection().send_datagram(datagram_));
  }
  timers_.set(id_, encoder_.next_deadline());
}

void Outbound::on_deadline() {
  if (state_ == State::kOpen) send_repairs();
}

MessageChannelStats Outbound::stats() const {
  return {messages_, encoder_.bodies(), encoder_.repairs(), encoder_.rate().loss(), encoder_.rate().burst()};
}

}  // namespace p2pa::messages
