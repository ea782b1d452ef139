#pragma once
// Frames of /p2pagents/rpc/1.0.0: a uvarint length and a msgpack array (wire: docs/wire/rpc.md).

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa::rpc {

inline constexpr std::string_view kProtocolId = "/p2pagents/rpc/1.0.0";

/// The same, and messages may come packed.
inline constexpr std::string_view kPackedProtocolId = "/p2pagents/rpc/zstd/1.0.0";

inline constexpr std::size_t kMethodBytesMax = 255;
inline constexpr std::size_t kErrorTextBytesMax = 4096;
/// What a frame may hold beside one message.
inline constexpr std::size_t kFrameOverheadMax = kErrorTextBytesMax + 512;
/// Longer deadlines are taken as this one.
inline constexpr std::uint64_t kDeadlineMsMax = 1000ull * 60 * 60 * 24;

/// Codes of RESET_STREAM and STOP_SENDING; others are libp2p's (transport/connection.hpp).
inline constexpr std::uint64_t kWireCancelled = 0x2701;
inline constexpr std::uint64_t kWireDeadlineExceeded = 0x2702;

/// [0, method str, deadline_ms uint, flags uint] or [0, method, deadline_ms, flags, message bin].
/// The client's first frame.
struct Request {
  std::string_view method;        ///< 1 to kMethodBytesMax bytes of UTF-8
  std::uint64_t deadline_ms = 0;  ///< what is left when it is sent; 0: none
  bool one_way = false;           ///< flags bit 0; the other bits are zero
  std::optional<ByteView> message;
};
/// [1, payload bin]. Either side.
struct Message {
  ByteView payload;
};
/// [2, code int, text str, data bin]. The server's last frame: the application's own error.
struct Failure {
  std::int32_t code = 0;
  std::string_view text;
  ByteView data;
};
/// [3, code int, detail uint]. The server's last frame: why the call was not carried out.
struct Refusal {
  std::int32_t code = 0;  ///< a number of p2pa::Code
  std::uint64_t detail = 0;
};

/// [4, size uint, packed bin]. In the place of a Message, on kPackedProtocolId only.
struct PackedMessage {
  std::size_t size = 0;  ///< of the message; at most kUnpackRatioMax times what is packed
  ByteView packed;       ///< one zstd frame
};

using Frame = std::variant<Request, Message, Failure, Refusal, PackedMessage>;

/// One frame without its length; views point into `body`. kProtocolViolation: not a frame.
/// kMessageTooLarge: a message or an error's data is over `message_bytes_max`.
Result<Frame> decode_frame(ByteView body, std::size_t message_bytes_max);

/// Each appends a whole frame with its length.
void append_frame(Bytes& out, const Request& request);
void append_frame(Bytes& out, const Message& message);
/// Text over kErrorTextBytesMax is cut, and what is not UTF-8 in it is replaced by '?'.
void append_frame(Bytes& out, const Failure& failure);
void append_frame(Bytes& out, const Refusal& refusal);
void append_frame(Bytes& out, const PackedMessage& message);

/// The frame up to its message's bytes, which the caller sends after it himself.
void append_message_head(Bytes& out, std::size_t message_size);
void append_request_head(Bytes& out, const Request& request, std::size_t message_size);
void append_packed_head(Bytes& out, std::size_t message_size, std::size_t packed_size);

/// 1 to kMethodBytesMax bytes of UTF-8?
bool valid_method(std::string_view name);

}  // namespace p2pa::rpc
