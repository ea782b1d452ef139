#include "transport/websocket/frames.hpp"

#include <wslay/wslay.h>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "base/assert.hpp"
#include "base/byte_reader.hpp"
#include "base/utf8.hpp"

namespace p2pa::websocket {
namespace {

std::unexpected<Error> violation(std::uint16_t close_code, const char* why) {
  return fail(Code::kProtocolViolation, why, close_code);
}

/// RFC 6455 §7.4 and the registry of its codes: those that may be sent.
bool is_close_code(std::uint16_t code) {
  constexpr std::uint16_t kRegisteredLast = 1014;
  if (code >= 1004 && code <= 1006) return false;
  return (code >= 1000 && code <= kRegisteredLast) || (code >= 3000 && code <= 4999);
}

}  // namespace

/// Nothing is thrown in them: wslay is C.
struct Frames::Callbacks {
  static ssize_t recv(std::uint8_t* out, std::size_t size, int, void* self) {
    ByteView& input = static_cast<Frames*>(self)->input_;
    const ByteView part = input.first(std::min(size, input.size()));
    std::ranges::copy(part, out);
    input = input.subspan(part.size());
    return static_cast<ssize_t>(part.size());
  }

  static ssize_t send(const std::uint8_t* bytes, std::size_t size, int, void* self) {
    MutableBytes& room = static_cast<Frames*>(self)->room_;
    P2PA_ASSERT(size <= room.size());
    std::copy_n(bytes, size, room.begin());
    room = room.subspan(size);
    return static_cast<ssize_t>(size);
  }

  static int mask(std::uint8_t* out, std::size_t size, void* self) {
    static_cast<Frames*>(self)->masks_->fill({out, size});
    return 0;
  }
};

Frames::Frames(Rng* masks) : masks_(masks) {
  constexpr wslay_frame_callbacks kCallbacks{Callbacks::send, Callbacks::recv, Callbacks::mask};
  if (wslay_frame_context_init(&context_, &kCallbacks, this) != 0) {
    throw std::bad_alloc();  // tidy-allow: as a container of ours would
  }
}

Frames::~Frames() { wslay_frame_context_free(context_); }

Result<void> Frames::receive(ByteView bytes, Bytes& up, Bytes& down) {
  input_ = bytes;
  Result<void> done;
  while (done) {
    wslay_frame_iocb part{};
    const ssize_t size = wslay_frame_recv(context_, &part);
    if (size == WSLAY_ERR_WANT_READ) break;
    if (size < 0) {
      done = violation(WSLAY_CODE_PROTOCOL_ERROR, "WebSocket: not a frame");
    } else {
      done = on_part(part, up, down);
    }
  }
  input_ = {};
  if (!done && done.error().code == Code::kProtocolViolation) {
    append_close(static_cast<std::uint16_t>(done.error().detail), down);
  }
  // RFC 6455 §5.5.3: only the last of several needs an answer; thus a flood of them makes none
  if (const auto ping = std::exchange(ping_, {}); ping && !closed_) append_frame(WSLAY_PONG, *ping, down);
  return done;
}

Result<void> Frames::on_part(const wslay_frame_iocb& part, Bytes& up, Bytes& down) {
  if (!in_frame_) {
    if (const auto error = begin_frame(part)) return std::unexpected(*error);
  }
  const ByteView data(part.data, part.data_length);
  left_ -= data.size();
  in_frame_ = left_ > 0;
  const bool control = wslay_is_ctrl_frame(part.opcode) != 0;
  Bytes& to = control ? control_ : up;
  to.insert(to.end(), data.begin(), data.end());
  return control && !in_frame_ ? on_control(part.opcode, down) : Result<void>();
}

/// Its header has come, which wslay checked as far as it needs no knowledge of what came before.
std::optional<Error> Frames::begin_frame(const wslay_frame_iocb& part) {
  const auto violates = [](const char* why) { return violation(WSLAY_CODE_PROTOCOL_ERROR, why).error(); };
  const bool from_client = masks_ == nullptr;
  if (part.rsv != 0) return violates("WebSocket: reserved bits");
  if ((part.mask != 0) != from_client) return violates("WebSocket: a client masks, a server does not");
  switch (part.opcode) {
    case WSLAY_CONNECTION_CLOSE:
    case WSLAY_PING:
    case WSLAY_PONG: control_.clear(); break;
    case WSLAY_CONTINUATION_FRAME:
    case WSLAY_BINARY_FRAME:
      if (in_message_ != (part.opcode == WSLAY_CONTINUATION_FRAME)) {
        return violates("WebSocket: a message inside a message, or a continuation outside of one");
      }
      in_message_ = part.fin == 0;
      break;
    case WSLAY_TEXT_FRAME:
      return violation(WSLAY_CODE_UNSUPPORTED_DATA, "WebSocket: text, where only bytes are spoken").error();
    default: return violates("WebSocket: an unknown kind of frame");
  }
  left_ = part.payload_length;
  return std::nullopt;
}

Result<void> Frames::on_control(std::uint8_t opcode, Bytes& down) {
  if (opcode == WSLAY_CONNECTION_CLOSE) return on_close(down);
  if (opcode == WSLAY_PING) ping_ = control_;
  return {};
}

/// RFC 6455 §5.5.1, §7.1.5
Result<void> Frames::on_close(Bytes& down) {
  constexpr const char* kWhy = "WebSocket: the peer closed";
  if (control_.empty()) {
    append_close(std::nullopt, down);
    return fail(Code::kConnectionClosed, kWhy, WSLAY_CODE_NO_STATUS_RCVD);
  }
  ByteReader reader(control_);
  const auto code = reader.big_endian<std::uint16_t>();
  if (!code || !is_close_code(*code)) {
    return violation(WSLAY_CODE_PROTOCOL_ERROR, "WebSocket: a wrong close code");
  }
  if (!is_utf8(as_text(reader.rest()))) {
    return violation(WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA, "WebSocket: a close whose reason is not UTF-8");
  }
  append_close(*code, down);
  return fail(Code::kConnectionClosed, kWhy, *code);
}

void Frames::send(ByteView bytes, Bytes& down) {
  while (!bytes.empty() && !closed_) {
    const ByteView part = bytes.first(std::min(bytes.size(), kPayloadMax));
    append_frame(WSLAY_BINARY_FRAME, part, down);
    bytes = bytes.subspan(part.size());
  }
}

void Frames::close(Bytes& down) { append_close(WSLAY_CODE_NORMAL_CLOSURE, down); }

void Frames::append_frame(std::uint8_t opcode, ByteView payload, Bytes& down) {
  const std::size_t before = down.size(), size = payload.size();
  down.resize(before + kHeaderMax + size);
  room_ = MutableBytes(down).subspan(before);
  wslay_frame_iocb frame{};
  frame.fin = 1;
  frame.opcode = opcode;
  frame.mask = masks_ != nullptr ? 1 : 0;
  frame.payload_length = frame.data_length = size;
  frame.data = payload.data();
  P2PA_ASSERT(wslay_frame_send(context_, &frame) == static_cast<ssize_t>(size));
  down.resize(down.size() - std::exchange(room_, {}).size());
}

void Frames::append_close(std::optional<std::uint16_t> code, Bytes& down) {
  if (std::exchange(closed_, true)) return;
  std::array<std::uint8_t, 2> payload{};
  if (code) payload = {static_cast<std::uint8_t>(*code >> 8), static_cast<std::uint8_t>(*code)};
  append_frame(WSLAY_CONNECTION_CLOSE, ByteView(payload).first(code ? payload.size() : 0), down);
}

}  // namespace p2pa::websocket
