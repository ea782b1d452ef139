#include "protocols/messages/messages_codec.hpp"

#include <limits>

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "wire/framing.hpp"
#include "wire/msgpack.hpp"

namespace p2pa::messages {
namespace {

std::unexpected<Error> not_a_frame() { return fail(Code::kProtocolViolation, "messages: not a frame"); }

bool read_array(wire::MsgpackReader& reader, std::uint32_t count) {
  const auto fields = reader.array();
  return fields && *fields == count;
}

}  // namespace

Result<Hello> decode_hello(ByteView frame) {
  wire::MsgpackReader reader(frame);
  if (!read_array(reader, 1)) return not_a_frame();
  const auto tag = reader.uint();
  if (!tag || *tag > std::numeric_limits<std::uint32_t>::max() || !reader.at_end()) return not_a_frame();
  return Hello{static_cast<std::uint32_t>(*tag)};
}

void append_frame(Bytes& out, const Hello& hello) {
  Bytes body;
  wire::MsgpackWriter writer(body);
  writer.array(1);
  writer.uint(hello.tag);
  wire::append_frame(out, body);
}

Result<fec::LossReport> decode_report(ByteView frame) {
  wire::MsgpackReader reader(frame);
  if (!read_array(reader, 3)) return not_a_frame();
  const auto judged = reader.uint();
  if (!judged) return not_a_frame();
  const auto lost = reader.uint();
  if (!lost) return not_a_frame();
  const auto runs = reader.uint();
  if (!runs || !reader.at_end()) return not_a_frame();
  return fec::LossReport{*judged, *lost, *runs};
}

void append_frame(Bytes& out, const fec::LossReport& report) {
  Bytes body;
  wire::MsgpackWriter writer(body);
  writer.array(3);
  writer.uint(report.judged);
  writer.uint(report.lost);
  writer.uint(report.runs);
  wire::append_frame(out, body);
}

Result<Piece> decode_piece(ByteView body) {
  ByteReader reader(body);
  const auto index = reader.u8();
  if (!index) return std::unexpected(index.error());
  const auto count = reader.u8();
  if (!count) return std::unexpected(count.error());
  if (*count > kPiecesMax || *index >= *count) return fail(Code::kMalformed, "messages: not a piece");
  return Piece{*index, *count, reader.rest()};
}

void append_piece(Bytes& out, const Piece& piece) {
  ByteWriter writer(out);
  writer.u8(piece.index);
  writer.u8(piece.count);
  writer.append(piece.payload);
}

}  // namespace p2pa::messages
