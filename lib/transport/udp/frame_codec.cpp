#include "transport/udp/frame_codec.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "base/varint.hpp"

namespace p2pa::udp {
namespace {

enum Type : std::uint8_t {
  kPadding = 0x00,
  kPing = 0x01,
  kAck = 0x02,
  kClose = 0x03,
  kReset = 0x04,
  kStop = 0x05,
  kMaxData = 0x06,
  kMaxStreamData = 0x07,
  kMaxStreams = 0x08,
  kPathChallenge = 0x09,
  kPathResponse = 0x0a,
  kStream = 0x10,
  kStreamEnd = 0x11,
  kDatagram = 0x18,
  kMessage = 0x20,  // and the kind
  kSkip = 0x28,     // and the kind
  kFec = 0x30,
};

void put(Bytes& out, std::uint8_t type, std::initializer_list<std::uint64_t> numbers) {
  out.push_back(type);
  for (const std::uint64_t number : numbers) append_varint(out, number);
}

void put(Bytes& out, ByteView bytes) { ByteWriter(out).append(bytes); }

struct Appender {
  Bytes& out;

  void operator()(const PaddingFrame&) const { out.push_back(kPadding); }
  void operator()(const PingFrame&) const { out.push_back(kPing); }
  void operator()(const AckFrame& ack) const {
    const Range& first = ack.storage[0];
    put(out, kAck, {ack.largest(), ack.delay_us, ack.count - 1, first.end - first.begin - 1});
    std::uint64_t below = first.begin;
    for (const Range& range : ack.ranges().subspan(1)) {
      append_varint(out, below - range.end - 1);
      append_varint(out, range.end - range.begin - 1);
      below = range.begin;
    }
  }
  void operator()(const CloseFrame& close) const {
    put(out, kClose, {close.code, close.reason.size()});
    put(out, close.reason);
  }
  void operator()(const ResetFrame& f) const { put(out, kReset, {f.stream, f.code, f.final_size}); }
  void operator()(const StopFrame& f) const { put(out, kStop, {f.stream, f.code}); }
  void operator()(const MaxDataFrame& f) const { put(out, kMaxData, {f.bytes}); }
  void operator()(const MaxStreamDataFrame& f) const { put(out, kMaxStreamData, {f.stream, f.bytes}); }
  void operator()(const MaxStreamsFrame& f) const { put(out, kMaxStreams, {f.streams}); }
  void operator()(const PathChallengeFrame& f) const {
    out.push_back(kPathChallenge);
    put(out, f.data);
  }
  void operator()(const PathResponseFrame& f) const {
    out.push_back(kPathResponse);
    put(out, f.data);
  }
  void operator()(const StreamFrame& f) const {
    put(out, f.end ? kStreamEnd : kStream, {f.stream, f.offset, f.bytes.size()});
    put(out, f.bytes);
  }
  void operator()(const DatagramFrame& f) const {
    put(out, kDatagram, {f.bytes.size()});
    put(out, f.bytes);
  }
  void operator()(const MessageFrame& f) const {
    put(out, static_cast<std::uint8_t>(kMessage + std::to_underlying(f.delivery)),
        {f.channel, f.sequence, f.size, f.offset, f.bytes.size()});
    put(out, f.bytes);
  }
  void operator()(const SkipFrame& f) const {
    put(out, static_cast<std::uint8_t>(kSkip + std::to_underlying(f.delivery)), {f.channel, f.sequence});
  }
  void operator()(const FecFrame& f) const {
    put(out, kFec, {f.packet.size()});
    put(out, f.packet);
  }
};

/// Reads fields and remembers whether one was missing.
class Fields {
 public:
  explicit Fields(ByteReader& reader) : reader_(reader) {}

  std::uint64_t number() {
    const auto value = read_varint(reader_);
    good_ = good_ && value.has_value();
    return value.value_or(0);
  }
  ByteView bytes(std::uint64_t size) {
    const auto value = size > reader_.remaining() ? Result<ByteView>(fail(Code::kTruncated)) : reader_.take(size);
    good_ = good_ && value.has_value();
    return value.value_or(ByteView{});
  }
  ByteView sized_bytes() { return bytes(number()); }
  std::uint8_t channel() {
    const std::uint64_t value = number();
    good_ = good_ && value < kSessionChannels;
    return good_ ? static_cast<std::uint8_t>(value) : std::uint8_t{0};
  }
  bool good() const { return good_; }

 private:
  ByteReader& reader_;
  bool good_ = true;
};

std::unexpected<Error> malformed() { return fail(Code::kMalformed, "udp: a frame that nobody may send"); }

Result<Frame> read_ack(Fields& fields) {
  AckFrame ack;
  const std::uint64_t largest = fields.number();
  ack.delay_us = fields.number();
  const std::uint64_t further = fields.number();
  if (!fields.good() || further >= kAckRangesMax) return malformed();
  std::uint64_t end = largest + 1;
  for (std::uint64_t i = 0; i <= further; ++i) {
    if (i > 0) {
      const std::uint64_t gap = fields.number();
      const std::uint64_t below = ack.storage[i - 1].begin;
      if (below < 2 || gap > below - 2) return malformed();
      end = below - gap - 1;
    }
    const std::uint64_t length = fields.number();
    if (!fields.good() || length >= end) return malformed();
    ack.storage[i] = {end - length - 1, end};
  }
  ack.count = static_cast<std::size_t>(further + 1);
  return ack;
}

Result<Frame> read_stream(Fields& fields, bool end) {
  StreamFrame frame;
  frame.end = end;
  frame.stream = fields.number();
  frame.offset = fields.number();
  frame.bytes = fields.sized_bytes();
  if (!fields.good() || frame.offset > kVarintMax - frame.bytes.size()) return malformed();
  return frame;
}

Result<Frame> read_message(Fields& fields, std::uint8_t kind) {
  MessageFrame frame;
  frame.delivery = static_cast<Delivery>(kind);
  frame.channel = fields.channel();
  frame.sequence = fields.number();
  frame.size = fields.number();
  frame.offset = fields.number();
  frame.bytes = fields.sized_bytes();
  if (!fields.good() || frame.size > kSessionMessageBytesMax || frame.offset > frame.size ||
      frame.bytes.size() > frame.size - frame.offset) {
    return malformed();
  }
  if (frame.bytes.empty() && frame.size > 0) return malformed();
  return frame;
}

Result<Frame> read_close(Fields& fields) {
  CloseFrame frame;
  frame.code = fields.number();
  frame.reason = fields.sized_bytes();
  if (!fields.good() || frame.reason.size() > kCloseReasonMax) return malformed();
  return frame;
}

Result<Frame> read_challenge(Fields& fields, std::uint8_t type) {
  const ByteView bytes = fields.bytes(kChallengeSize);
  if (!fields.good()) return malformed();
  Challenge data{};
  std::ranges::copy(bytes, data.begin());
  if (type == kPathChallenge) return PathChallengeFrame{data};
  return PathResponseFrame{data};
}

/// Those that are made of numbers alone.
Result<Frame> read_control(Fields& fields, std::uint8_t type) {
  Frame frame;
  switch (type) {
    case kReset: {
      ResetFrame reset;
      reset.stream = fields.number();
      reset.code = fields.number();
      reset.final_size = fields.number();
      frame = reset;
      break;
    }
    case kStop: {
      StopFrame stop;
      stop.stream = fields.number();
      stop.code = fields.number();
      frame = stop;
      break;
    }
    case kMaxData: frame = MaxDataFrame{fields.number()}; break;
    case kMaxStreamData: {
      MaxStreamDataFrame more;
      more.stream = fields.number();
      more.bytes = fields.number();
      frame = more;
      break;
    }
    case kMaxStreams: frame = MaxStreamsFrame{fields.number()}; break;
    default: return malformed();
  }
  if (!fields.good()) return malformed();
  return frame;
}

Result<Frame> read_skip(Fields& fields, std::uint8_t kind) {
  SkipFrame frame;
  frame.delivery = static_cast<Delivery>(kind);
  frame.channel = fields.channel();
  frame.sequence = fields.number();
  if (!fields.good()) return malformed();
  return frame;
}

}  // namespace

void append(Bytes& out, const Frame& frame) { std::visit(Appender{out}, frame); }

Result<Frame> read_frame(ByteReader& reader) {
  const auto type = reader.u8();
  if (!type) return malformed();
  Fields fields(reader);
  switch (*type) {
    case kPadding: return PaddingFrame{};
    case kPing: return PingFrame{};
    case kAck: return read_ack(fields);
    case kClose: return read_close(fields);
    case kPathChallenge:
    case kPathResponse: return read_challenge(fields, *type);
    case kStream:
    case kStreamEnd: return read_stream(fields, *type == kStreamEnd);
    case kDatagram: {
      const ByteView bytes = fields.sized_bytes();
      if (!fields.good()) return malformed();
      return DatagramFrame{bytes};
    }
    case kMessage + std::to_underlying(Delivery::kUnreliable):
    case kMessage + std::to_underlying(Delivery::kSequenced):
    case kMessage + std::to_underlying(Delivery::kReliable):
    case kMessage + std::to_underlying(Delivery::kOrdered):
      return read_message(fields, static_cast<std::uint8_t>(*type - kMessage));
    case kSkip + std::to_underlying(Delivery::kReliable):
    case kSkip + std::to_underlying(Delivery::kOrdered):
      return read_skip(fields, static_cast<std::uint8_t>(*type - kSkip));
    case kFec: {
      const ByteView packet = fields.sized_bytes();
      if (!fields.good()) return malformed();
      return FecFrame{packet};
    }
    default: return read_control(fields, *type);
  }
}

void append(Bytes& out, const CorrectedMessage& message) {
  append_varint(out, message.ms_left);
  append(out, Frame(message.message));
}

Result<CorrectedMessage> read_corrected_message(ByteReader& reader) {
  const auto ms_left = read_varint(reader);
  if (!ms_left || *ms_left > kTimeLeftMsMax || reader.at_end()) return malformed();
  const auto frame = read_frame(reader);
  const auto* message = frame ? std::get_if<MessageFrame>(&*frame) : nullptr;
  if (message == nullptr) return malformed();
  return CorrectedMessage{*ms_left, *message};
}

bool ack_eliciting(const Frame& frame) {
  return !std::holds_alternative<PaddingFrame>(frame) && !std::holds_alternative<AckFrame>(frame) &&
         !std::holds_alternative<CloseFrame>(frame);
}

}  // namespace p2pa::udp
