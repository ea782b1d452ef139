#include "protocols/rpc/rpc_codec.hpp"

#include <limits>

#include "base/byte_writer.hpp"
#include "base/utf8.hpp"
#include "base/varint.hpp"
#include "protocols/rpc/packing.hpp"
#include "wire/msgpack.hpp"

namespace p2pa::rpc {

namespace {

enum Type : std::uint8_t { kRequest = 0, kMessage = 1, kFailure = 2, kRefusal = 3, kPacked = 4 };
constexpr std::uint64_t kFlagOneWay = 1;

std::unexpected<Error> not_a_frame(const char* why) { return fail(Code::kProtocolViolation, why); }

Result<ByteView> read_payload(wire::MsgpackReader& reader, std::size_t message_bytes_max) {
  const auto payload = reader.bin();
  if (!payload) return not_a_frame("rpc: a frame without its bytes");
  if (payload->size() > message_bytes_max) {
    return fail(Code::kMessageTooLarge, "rpc: message over the limit", message_bytes_max);
  }
  return payload;
}

Result<std::int32_t> read_code(wire::MsgpackReader& reader) {
  const auto code = reader.integer();
  if (!code || *code < std::numeric_limits<std::int32_t>::min() ||
      *code > std::numeric_limits<std::int32_t>::max()) {
    return not_a_frame("rpc: not a code");
  }
  return static_cast<std::int32_t>(*code);
}

Result<Frame> read_request(wire::MsgpackReader& reader, std::uint32_t fields,
                           std::size_t message_bytes_max) {
  if (fields != 4 && fields != 5) return not_a_frame("rpc: a request has 4 or 5 fields");
  const auto method = reader.str();
  if (!method || !valid_method(*method)) return not_a_frame("rpc: not a method name");
  const auto deadline_ms = reader.uint();
  if (!deadline_ms) return not_a_frame("rpc: not a deadline");
  const auto flags = reader.uint();
  if (!flags || (*flags & ~kFlagOneWay) != 0) return not_a_frame("rpc: unknown flags");
  Request request{*method, *deadline_ms, (*flags & kFlagOneWay) != 0, std::nullopt};
  if (fields == 5) {
    const auto message = read_payload(reader, message_bytes_max);
    if (!message) return std::unexpected(message.error());
    request.message = *message;
  }
  return request;
}

Result<Frame> read_failure(wire::MsgpackReader& reader, std::size_t message_bytes_max) {
  const auto code = read_code(reader);
  if (!code) return std::unexpected(code.error());
  const auto text = reader.str();
  if (!text || text->size() > kErrorTextBytesMax || !is_utf8(*text)) {
    return not_a_frame("rpc: not an error's text");
  }
  const auto data = read_payload(reader, message_bytes_max);
  if (!data) return std::unexpected(data.error());
  return Failure{*code, *text, *data};
}

Result<Frame> read_refusal(wire::MsgpackReader& reader) {
  const auto code = read_code(reader);
  if (!code) return std::unexpected(code.error());
  const auto detail = reader.uint();
  if (!detail) return not_a_frame("rpc: not a refusal's detail");
  return Refusal{*code, *detail};
}

Result<Frame> read_packed(wire::MsgpackReader& reader, std::size_t message_bytes_max) {
  const auto size = reader.uint();
  if (!size) return not_a_frame("rpc: a packed message without its size");
  const auto packed = read_payload(reader, message_bytes_max);
  if (!packed) return std::unexpected(packed.error());
  if (*size > message_bytes_max) {
    return fail(Code::kMessageTooLarge, "rpc: message over the limit", message_bytes_max);
  }
  if (*size == 0 || packed->empty() || *size / packed->size() >= kUnpackRatioMax) {
    return not_a_frame("rpc: a packed message of nothing, or that would grow too much");
  }
  return PackedMessage{static_cast<std::size_t>(*size), *packed};
}

Result<Frame> read_frame(wire::MsgpackReader& reader, std::size_t message_bytes_max) {
  const auto fields = reader.array();
  if (!fields) return not_a_frame("rpc: a frame is an array");
  const auto type = reader.uint();
  if (!type) return not_a_frame("rpc: a frame without a type");
  switch (*type) {
    case kRequest: return read_request(reader, *fields, message_bytes_max);
    case kMessage: {
      if (*fields != 2) break;
      const auto payload = read_payload(reader, message_bytes_max);
      if (!payload) return std::unexpected(payload.error());
      return Message{*payload};
    }
    case kFailure:
      if (*fields != 4) break;
      return read_failure(reader, message_bytes_max);
    case kRefusal:
      if (*fields != 3) break;
      return read_refusal(reader);
    case kPacked:
      if (*fields != 3) break;
      return read_packed(reader, message_bytes_max);
    default: return not_a_frame("rpc: unknown frame type");
  }
  return not_a_frame("rpc: wrong number of fields");
}

/// Puts the length before the body that begins at `start` and of which `more` bytes follow later.
void prepend_length(Bytes& out, std::size_t start, std::size_t more) {
  const Varint length = encode_varint(out.size() - start + more);
  const ByteView prefix = length.bytes();
  out.insert(out.begin() + static_cast<std::ptrdiff_t>(start), prefix.begin(), prefix.end());
}

void append_request_fields(wire::MsgpackWriter& writer, const Request& request, std::uint32_t fields) {
  writer.array(fields);
  writer.uint(kRequest);
  writer.str(request.method);
  writer.uint(request.deadline_ms);
  writer.uint(request.one_way ? kFlagOneWay : 0);
}

}  // namespace

bool valid_method(std::string_view name) {
  return !name.empty() && name.size() <= kMethodBytesMax && is_utf8(name);
}

Result<Frame> decode_frame(ByteView body, std::size_t message_bytes_max) {
  wire::MsgpackReader reader(body);
  auto frame = read_frame(reader, message_bytes_max);
  if (frame && !reader.at_end()) return not_a_frame("rpc: bytes after the frame's array");
  return frame;
}

void append_message_head(Bytes& out, std::size_t message_size) {
  const std::size_t start = out.size();
  wire::MsgpackWriter writer(out);
  writer.array(2);
  writer.uint(kMessage);
  writer.bin_header(static_cast<std::uint32_t>(message_size));
  prepend_length(out, start, message_size);
}

void append_request_head(Bytes& out, const Request& request, std::size_t message_size) {
  const std::size_t start = out.size();
  wire::MsgpackWriter writer(out);
  append_request_fields(writer, request, 5);
  writer.bin_header(static_cast<std::uint32_t>(message_size));
  prepend_length(out, start, message_size);
}

void append_packed_head(Bytes& out, std::size_t message_size, std::size_t packed_size) {
  const std::size_t start = out.size();
  wire::MsgpackWriter writer(out);
  writer.array(3);
  writer.uint(kPacked);
  writer.uint(message_size);
  writer.bin_header(static_cast<std::uint32_t>(packed_size));
  prepend_length(out, start, packed_size);
}

void append_frame(Bytes& out, const PackedMessage& message) {
  append_packed_head(out, message.size, message.packed.size());
  ByteWriter(out).append(message.packed);
}

void append_frame(Bytes& out, const Request& request) {
  if (request.message) {
    append_request_head(out, request, request.message->size());
    return ByteWriter(out).append(*request.message);
  }
  const std::size_t start = out.size();
  wire::MsgpackWriter writer(out);
  append_request_fields(writer, request, 4);
  prepend_length(out, start, 0);
}

void append_frame(Bytes& out, const Message& message) {
  append_message_head(out, message.payload.size());
  ByteWriter(out).append(message.payload);
}

void append_frame(Bytes& out, const Failure& failure) {
  const std::size_t start = out.size();
  wire::MsgpackWriter writer(out);
  writer.array(4);
  writer.uint(kFailure);
  writer.integer(failure.code);
  writer.str(to_utf8(failure.text, kErrorTextBytesMax));
  writer.bin(failure.data);
  prepend_length(out, start, 0);
}

void append_frame(Bytes& out, const Refusal& refusal) {
  const std::size_t start = out.size();
  wire::MsgpackWriter writer(out);
  writer.array(3);
  writer.uint(kRefusal);
  writer.integer(refusal.code);
  writer.uint(refusal.detail);
  prepend_length(out, start, 0);
}

}  // namespace p2pa::rpc
