#include "lan/packet_codec.hpp"

#include <algorithm>
#include <utility>

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "base/utf8.hpp"
#include "identity/envelope.hpp"
#include "p2pagents/lan.hpp"

namespace p2pa::lan {
namespace {

constexpr std::string_view kMagic = "p2pl";
constexpr std::uint8_t kVersion = 1;
constexpr std::string_view kDomain = "p2pagents-lan";

std::unexpected<Error> malformed(const char* why) { return fail(Code::kMalformed, why); }

void append_signature(Bytes& out, const KeyPair& key) {
  ByteWriter writer(out);
  writer.big_endian(static_cast<std::uint16_t>(key.public_key().size()));
  writer.append(key.public_key());
  const auto signature = key.sign(Envelope::signed_bytes(kDomain, as_bytes(kProtocolId), out));
  writer.append(signature);
}

Result<Signed> read_signed(ByteReader& reader) {
  const auto size = reader.big_endian<std::uint16_t>();
  if (!size) return malformed("lan: no key");
  const auto key = reader.take(*size);
  if (!key || key->empty() || reader.at_end()) return malformed("lan: key or signature is missing");
  return Signed{*key, reader.rest()};
}

Result<Id16> read_id(ByteReader& reader) {
  const auto bytes = reader.take(sizeof(Id16));
  if (!bytes) return malformed("lan: an id is cut off");
  Id16 id;
  std::ranges::copy(*bytes, id.begin());
  return id;
}

}  // namespace

void append_header(Bytes& out, const Header& header) {
  ByteWriter writer(out);
  writer.append(kMagic);
  writer.u8(kVersion);
  writer.u8(std::to_underlying(header.kind));
  writer.append(header.network);
  writer.append(header.session);
  writer.big_endian(header.number);
}

Result<Header> decode_header(ByteView datagram) {
  if (datagram.size() < kHeaderBytes || datagram.size() > kPacketBytesMax) return malformed("lan: size");
  ByteReader reader(datagram);
  if (!std::ranges::equal(*reader.take(kMagic.size()), as_bytes(kMagic))) return malformed("lan: not ours");
  if (*reader.u8() != kVersion) return malformed("lan: another version");
  const std::uint8_t kind = *reader.u8();
  if (kind < std::to_underlying(Kind::kMessage) || kind > std::to_underlying(Kind::kProof)) {
    return malformed("lan: unknown kind");
  }
  Header header;
  header.kind = Kind{kind};
  header.network = *read_id(reader);
  header.session = *read_id(reader);
  header.number = *reader.big_endian<std::uint64_t>();
  return header;
}

void append_message(Bytes& out, const KeyPair& key, std::string_view topic, ByteView message) {
  ByteWriter writer(out);
  writer.u8(static_cast<std::uint8_t>(topic.size()));
  writer.append(topic);
  writer.big_endian(static_cast<std::uint16_t>(message.size()));
  writer.append(message);
  append_signature(out, key);
}

Result<Message> decode_message(ByteView body) {
  ByteReader reader(body);
  const auto topic_size = reader.u8();
  if (!topic_size || *topic_size == 0 || *topic_size > kLanTopicBytesMax) return malformed("lan: no topic");
  const auto topic = reader.take(*topic_size);
  if (!topic || !is_utf8(as_text(*topic))) return malformed("lan: the topic is no text");
  const auto size = reader.big_endian<std::uint16_t>();
  if (!size) return malformed("lan: no message");
  const auto bytes = reader.take(*size);
  if (!bytes) return malformed("lan: the message is cut off");
  const auto by = read_signed(reader);
  if (!by) return std::unexpected(by.error());
  return Message{as_text(*topic), *bytes, *by};
}

void append_challenge(Bytes& out, const Challenge& challenge, std::size_t body_bytes) {
  const std::size_t end = out.size() + body_bytes;
  ByteWriter writer(out);
  writer.append(challenge.session);
  writer.append(challenge.nonce);
  out.resize(end);
}

Result<Challenge> decode_challenge(ByteView body) {
  ByteReader reader(body);
  const auto session = read_id(reader);
  const auto nonce = read_id(reader);
  if (!session || !nonce) return malformed("lan: the challenge is cut off");
  if (!std::ranges::all_of(reader.rest(), [](std::uint8_t byte) { return byte == 0; })) {
    return malformed("lan: a challenge is filled up with zeros");
  }
  return Challenge{*session, *nonce};
}

void append_proof(Bytes& out, const KeyPair& key, const Id16& nonce, std::uint64_t oldest) {
  ByteWriter writer(out);
  writer.append(nonce);
  writer.big_endian(oldest);
  append_signature(out, key);
}

Result<Proof> decode_proof(ByteView body) {
  ByteReader reader(body);
  const auto nonce = read_id(reader);
  if (!nonce) return std::unexpected(nonce.error());
  const auto oldest = reader.big_endian<std::uint64_t>();
  if (!oldest) return malformed("lan: the proof is cut off");
  const auto by = read_signed(reader);
  if (!by) return std::unexpected(by.error());
  return Proof{*nonce, *oldest, *by};
}

Result<void> verify(const Header& header, ByteView body, const Signed& by) {
  auto key = PublicKey::decode(by.key);
  if (!key) return std::unexpected(key.error());
  Envelope envelope{std::move(*key), {}, {}, {by.signature.begin(), by.signature.end()}};
  envelope.payload_type.assign(kProtocolId.begin(), kProtocolId.end());
  append_header(envelope.payload, header);
  ByteWriter(envelope.payload).append(body.first(body.size() - by.signature.size()));
  return envelope.verify(kDomain);
}

}  // namespace p2pa::lan
