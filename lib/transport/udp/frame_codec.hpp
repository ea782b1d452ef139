#pragma once
// What a DATA packet carries (docs/wire/udp.md §frames).

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "base/varint.hpp"
#include "p2pagents/session_message.hpp"
#include "transport/udp/range_set.hpp"

namespace p2pa::udp {

/// Ranges in one ACK, at most.
inline constexpr std::size_t kAckRangesMax = 32;
inline constexpr std::size_t kCloseReasonMax = 128;
inline constexpr std::size_t kChallengeSize = 8;
/// The longest time that a corrected message may say that it has left: a day.
inline constexpr std::uint64_t kTimeLeftMsMax = 24ull * 3600 * 1000;

struct PaddingFrame {};
struct PingFrame {};
struct AckFrame {
  std::uint64_t delay_us = 0;
  std::array<Range, kAckRangesMax> storage{};  ///< the newest first
  std::size_t count = 0;
  std::span<const Range> ranges() const { return std::span(storage).first(count); }
  std::uint64_t largest() const { return storage[0].end - 1; }
};
struct CloseFrame {
  std::uint64_t code = 0;
  ByteView reason;
};
struct ResetFrame {
  std::uint64_t stream = 0, code = 0, final_size = 0;
};
struct StopFrame {
  std::uint64_t stream = 0, code = 0;
};
struct MaxDataFrame {
  std::uint64_t bytes = 0;
};
struct MaxStreamDataFrame {
  std::uint64_t stream = 0, bytes = 0;
};
struct MaxStreamsFrame {
  std::uint64_t streams = 0;
};
using Challenge = std::array<std::uint8_t, kChallengeSize>;
struct PathChallengeFrame {
  Challenge data{};
};
struct PathResponseFrame {
  Challenge data{};
};
struct StreamFrame {
  std::uint64_t stream = 0, offset = 0;
  ByteView bytes;
  bool end = false;
};
struct DatagramFrame {
  ByteView bytes;
};
struct MessageFrame {
  Delivery delivery = Delivery::kUnreliable;
  std::uint8_t channel = 0;
  std::uint64_t sequence = 0, size = 0, offset = 0;
  ByteView bytes;
};
/// A packet of the code of forward error correction (docs/wire/fec.md).
struct FecFrame {
  ByteView packet;
};
struct SkipFrame {
  Delivery delivery = Delivery::kReliable;  ///< one of the reliable kinds
  std::uint8_t channel = 0;
  std::uint64_t sequence = 0;
};

using Frame = std::variant<PaddingFrame, PingFrame, AckFrame, CloseFrame, ResetFrame, StopFrame, MaxDataFrame,
                           MaxStreamDataFrame, MaxStreamsFrame, PathChallengeFrame, PathResponseFrame, StreamFrame,
                           DatagramFrame, MessageFrame, SkipFrame, FecFrame>;

/// Bytes that a frame has beside its payload, at most.
inline constexpr std::size_t kStreamFrameOverhead = 1 + 5 + 9 + 2;
inline constexpr std::size_t kDatagramFrameOverhead = 1 + 2;
inline constexpr std::size_t kFecFrameOverhead = 1 + 2;
/// Any frame without a payload, but for ACK.
inline constexpr std::size_t kControlFrameMax = 1 + 3 * 9;
inline constexpr std::size_t kAckFrameMax = 1 + 9 + 5 + 1 + 9 + (kAckRangesMax - 1) * 18;

/// The same of a message's frame: a message that just fits a packet is not to be cut for what its fields may be.
constexpr std::size_t message_frame_overhead(std::uint64_t sequence, std::size_t size, std::size_t offset,
                                             std::size_t length) {
  return 1 + 1 + varint_size(sequence) + varint_size(size) + varint_size(offset) + varint_size(length);
}

void append(Bytes& out, const Frame& frame);
/// The next frame; views into the source. kMalformed: an unknown type, too short, or a value that cannot be.
/// REQUIRES that there are bytes left.
Result<Frame> read_frame(ByteReader& reader);
/// What bodies of the code are made of, one or more each.
struct CorrectedMessage {
  std::uint64_t ms_left = 0;  ///< until its deadline when it leaves, at most kTimeLeftMsMax; 0: it has none
  MessageFrame message;
};
/// What it has beside the message's frame, at most.
inline constexpr std::size_t kTimeLeftSizeMax = 4;

void append(Bytes& out, const CorrectedMessage& message);
/// As read_frame(). kMalformed as well: another frame, or a time over the limit.
Result<CorrectedMessage> read_corrected_message(ByteReader& reader);

/// Is the peer to say that it arrived?
bool ack_eliciting(const Frame& frame);

}  // namespace p2pa::udp
