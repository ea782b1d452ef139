#include "fec/packet_codec.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"

namespace p2pa::fec {
namespace {

enum Type : std::uint8_t { kSource = 0, kRepair = 1 };

Result<Packet> read_source(ByteReader& reader) {
  const auto number = reader.big_endian<std::uint32_t>();
  if (!number) return std::unexpected(number.error());
  if (reader.remaining() > kBodyBytesMax) {
    return fail(Code::kMessageTooLarge, "fec: a body over the limit", kBodyBytesMax);
  }
  return Source{*number, reader.rest()};
}

Result<Packet> read_repair(ByteReader& reader) {
  const auto first = reader.big_endian<std::uint32_t>();
  if (!first) return std::unexpected(first.error());
  const auto count = reader.u8();
  if (!count) return std::unexpected(count.error());
  const auto number = reader.u8();
  if (!number) return std::unexpected(number.error());
  if (*count == 0 || *count > kWindowMax) return fail(Code::kMalformed, "fec: not a window");
  if (reader.remaining() < kLengthBytes) return fail(Code::kTruncated, "fec: a repair without a symbol");
  if (reader.remaining() > kSymbolBytesMax) {
    return fail(Code::kMessageTooLarge, "fec: a symbol over the limit", kSymbolBytesMax);
  }
  return Repair{*first, *count, *number, reader.rest()};
}

}  // namespace

Result<Packet> decode_packet(ByteView packet) {
  ByteReader reader(packet);
  const auto type = reader.u8();
  if (!type) return std::unexpected(type.error());
  if (*type == kSource) return read_source(reader);
  if (*type == kRepair) return read_repair(reader);
  return fail(Code::kMalformed, "fec: not a packet");
}

void append_packet(Bytes& out, const Source& source) {
  ByteWriter writer(out);
  writer.u8(kSource);
  writer.big_endian(source.number);
  writer.append(source.body);
}

bool is_repair(ByteView packet) { return !packet.empty() && packet[0] == kRepair; }

void append_packet(Bytes& out, const Repair& repair) {
  ByteWriter writer(out);
  writer.u8(kRepair);
  writer.big_endian(repair.first);
  writer.u8(repair.count);
  writer.u8(repair.number);
  writer.append(repair.symbol);
}

}  // namespace p2pa::fec
