#include "transport/udp/handshake_codec.hpp"

#include <utility>

#include "base/byte_writer.hpp"
#include "base/varint.hpp"

namespace p2pa::udp {
namespace {

enum Number : std::uint64_t {
  kData = 1,
  kStreamData = 2,
  kStreams = 3,
  kIdle = 4,
  kFec = 5,
  kAes = 6,
  kNumbersEnd = 7,
};

void put(Bytes& out, std::uint64_t number, std::uint64_t value) {
  if (value == 0) return;
  append_varint(out, number);
  append_varint(out, value);
}

Result<void> read_parameters(ByteReader& reader, Parameters& out) {
  std::uint32_t seen = 0;
  while (!reader.at_end()) {
    const auto number = read_varint(reader);
    const auto value = number ? read_varint(reader) : number;
    if (!value) return fail(Code::kMalformed, "udp: a parameter that is cut short");
    if (*number >= kNumbersEnd) continue;
    const std::uint32_t bit = std::uint32_t{1} << *number;
    if ((std::exchange(seen, seen | bit) & bit) != 0) return fail(Code::kMalformed, "udp: a parameter twice", *number);
    switch (*number) {
      case kData: out.data = *value; break;
      case kStreamData: out.stream_data = *value; break;
      case kStreams: out.streams = *value; break;
      case kIdle: out.idle_ms = *value; break;
      case kFec: out.fec = *value == 1; break;
      case kAes: out.aes = *value == 1; break;
      default: break;
    }
  }
  return {};
}

}  // namespace

Bytes encode(const HandshakePayload& payload) {
  const Bytes identity = noise::encode(payload.identity);
  Bytes out;
  append_varint(out, identity.size());
  ByteWriter(out).append(identity);
  put(out, kData, payload.parameters.data);
  put(out, kStreamData, payload.parameters.stream_data);
  put(out, kStreams, payload.parameters.streams);
  put(out, kIdle, payload.parameters.idle_ms);
  put(out, kFec, payload.parameters.fec ? 1 : 0);
  put(out, kAes, payload.parameters.aes ? 1 : 0);
  return out;
}

Result<HandshakePayload> decode_handshake(ByteView payload) {
  ByteReader reader(payload);
  const auto size = read_varint(reader);
  if (!size || *size > reader.remaining()) return fail(Code::kMalformed, "udp: a handshake without an identity");
  const auto identity = noise::decode(*reader.take(*size));
  if (!identity) return std::unexpected(identity.error());
  HandshakePayload out{*identity, {}};
  if (const auto read = read_parameters(reader, out.parameters); !read) return std::unexpected(read.error());
  return out;
}

}  // namespace p2pa::udp
