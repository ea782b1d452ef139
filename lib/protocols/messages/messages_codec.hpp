#pragma once
// Frames of the control stream, and what stands in front of each piece of a message (wire:
// docs/wire/messages.md).

#include <cstdint>
#include <string_view>

#include "fec/packet_codec.hpp"
#include "fec/rate_controller.hpp"
#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa::messages {

inline constexpr std::string_view kProtocolId = "/p2pagents/messages/1.0.0";
inline constexpr std::size_t kFrameBytesMax = 64;

/// In front of every datagram of a channel, in network byte order.
inline constexpr std::size_t kTagBytes = 4;
/// In front of every piece: which it is, and how many there are.
inline constexpr std::size_t kPieceHeaderBytes = 2;
inline constexpr std::size_t kPiecesMax = 64;

/// [tag uint]. The first and only frame of whoever opened the stream, and sends the messages.
struct Hello {
  std::uint32_t tag = 0;
};

/// A piece of a message: a body of the code.
struct Piece {
  std::uint8_t index = 0;
  std::uint8_t count = 1;  ///< 1 to kPiecesMax, above index
  ByteView payload;
};

/// Frames without their length. kProtocolViolation: not one.
Result<Hello> decode_hello(ByteView frame);
Result<fec::LossReport> decode_report(ByteView frame);
/// Each appends a whole frame with its length.
void append_frame(Bytes& out, const Hello& hello);
/// [judged uint, lost uint, runs uint].
void append_frame(Bytes& out, const fec::LossReport& report);

/// kTruncated, kMalformed.
Result<Piece> decode_piece(ByteView body);
void append_piece(Bytes& out, const Piece& piece);

}  // namespace p2pa::messages
