#include "transport/udp/packet_codec.hpp"

#include <algorithm>
#include <utility>

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"

namespace p2pa::udp {
namespace {

constexpr std::uint8_t kPhaseBit = 1;

std::unexpected<Error> malformed(const char* why) { return fail(Code::kMalformed, why); }

ByteWriter begin(Bytes& out, PacketType type) {
  ByteWriter writer(out);
  writer.u8(std::to_underlying(type));
  return writer;
}

bool is(ByteView datagram, PacketType type) {
  const auto found = decode_type(datagram);
  return found && *found == type;
}

}  // namespace

Bytes encode(const InitialPacket& packet) {
  Bytes out;
  ByteWriter writer = begin(out, PacketType::kInitial);
  writer.u8(kVersion);
  writer.big_endian(packet.source);
  writer.u8(static_cast<std::uint8_t>(packet.cookie.size()));
  writer.append(packet.cookie);
  writer.append(packet.message);
  out.resize(kInitialSize);
  return out;
}

Bytes encode(const CookiePacket& packet) {
  Bytes out;
  ByteWriter writer = begin(out, PacketType::kCookie);
  writer.big_endian(packet.destination);
  writer.append(packet.cookie);
  return out;
}

Bytes encode(const ResponsePacket& packet) {
  Bytes out;
  ByteWriter writer = begin(out, PacketType::kResponse);
  writer.big_endian(packet.destination);
  writer.big_endian(packet.source);
  writer.append(packet.message);
  return out;
}

Bytes encode(const FinishPacket& packet) {
  Bytes out;
  ByteWriter writer = begin(out, PacketType::kFinish);
  writer.big_endian(packet.destination);
  writer.append(packet.message);
  return out;
}

std::array<std::uint8_t, kDataHeaderSize> encode(const DataHeader& header) {
  std::array<std::uint8_t, kDataHeaderSize> out{};
  out[0] = static_cast<std::uint8_t>(std::to_underlying(PacketType::kData) | (header.phase ? kPhaseBit : 0));
  for (std::size_t i = 0; i < 8; ++i) {
    out[1 + i] = static_cast<std::uint8_t>(header.destination >> (56 - 8 * i));
    out[9 + i] = static_cast<std::uint8_t>(header.number >> (56 - 8 * i));
  }
  return out;
}

Result<PacketType> decode_type(ByteView datagram) {
  if (datagram.empty()) return malformed("udp: an empty datagram");
  const std::uint8_t first = datagram[0];
  constexpr std::uint8_t kData = std::to_underlying(PacketType::kData);
  if (first < std::to_underlying(PacketType::kInitial) || first > (kData | kPhaseBit)) {
    return malformed("udp: not a datagram of a session");
  }
  return static_cast<PacketType>(std::min(first, kData));
}

Result<InitialPacket> decode_initial(ByteView datagram) {
  if (!is(datagram, PacketType::kInitial)) return malformed("udp: not an INITIAL");
  // Its padding is what lets us answer an address that nobody has proven.
  if (datagram.size() < kInitialSize) return malformed("udp: an INITIAL that is too short");
  ByteReader reader(datagram.subspan(1));
  if (*reader.u8() != kVersion) return fail(Code::kUnsupported, "udp: another version", datagram[1]);
  InitialPacket packet;
  packet.source = *reader.big_endian<Cid>();
  const std::uint8_t cookie = *reader.u8();
  if (cookie != 0 && cookie != kCookieSize) return malformed("udp: a cookie of another size");
  packet.cookie = *reader.take(cookie);
  packet.message = *reader.take(kFirstMessageSize);
  return packet;
}

Result<CookiePacket> decode_cookie(ByteView datagram) {
  constexpr std::size_t kSize = 1 + sizeof(Cid) + kCookieSize;
  if (!is(datagram, PacketType::kCookie) || datagram.size() != kSize) return malformed("udp: not a COOKIE");
  ByteReader reader(datagram.subspan(1));
  CookiePacket packet;
  packet.destination = *reader.big_endian<Cid>();
  packet.cookie = reader.rest();
  return packet;
}

Result<ResponsePacket> decode_response(ByteView datagram) {
  constexpr std::size_t kHeader = 1 + 2 * sizeof(Cid);
  if (!is(datagram, PacketType::kResponse) || datagram.size() <= kHeader || datagram.size() > kHandshakeBytesMax) {
    return malformed("udp: not a RESPONSE");
  }
  ByteReader reader(datagram.subspan(1));
  ResponsePacket packet;
  packet.destination = *reader.big_endian<Cid>();
  packet.source = *reader.big_endian<Cid>();
  packet.message = reader.rest();
  return packet;
}

Result<FinishPacket> decode_finish(ByteView datagram) {
  constexpr std::size_t kHeader = 1 + sizeof(Cid);
  if (!is(datagram, PacketType::kFinish) || datagram.size() <= kHeader || datagram.size() > kHandshakeBytesMax) {
    return malformed("udp: not a FINISH");
  }
  ByteReader reader(datagram.subspan(1));
  FinishPacket packet;
  packet.destination = *reader.big_endian<Cid>();
  packet.message = reader.rest();
  return packet;
}

Result<DataHeader> decode_data(ByteView datagram) {
  if (!is(datagram, PacketType::kData) || datagram.size() < kDataSizeMin) return malformed("udp: not a DATA packet");
  ByteReader reader(datagram.subspan(1));
  DataHeader header;
  header.phase = (datagram[0] & kPhaseBit) != 0;
  header.destination = *reader.big_endian<Cid>();
  header.number = *reader.big_endian<std::uint64_t>();
  if (header.number >= kPacketNumberEnd) return malformed("udp: a packet number that nobody reaches");
  return header;
}

}  // namespace p2pa::udp
