#include "identity/envelope.hpp"

#include <utility>

#include "base/byte_writer.hpp"
#include "base/varint.hpp"
#include "wire/protobuf.hpp"

namespace p2pa {

namespace {

constexpr std::uint32_t kKeyField = 1, kTypeField = 2, kPayloadField = 3, kSignatureField = 5;

struct Fields {
  ByteView key, payload_type, payload, signature;

  ByteView* named(std::uint32_t number) {
    switch (number) {
      case kKeyField: return &key;
      case kTypeField: return &payload_type;
      case kPayloadField: return &payload;
      case kSignatureField: return &signature;
      default: return nullptr;
    }
  }
};

Result<Fields> decode_fields(ByteView bytes) {
  Fields fields;
  wire::ProtoReader reader(bytes);
  wire::ProtoField field;
  for (;;) {
    const auto more = reader.next(field);
    if (!more) return std::unexpected(more.error());
    if (!*more) return fields;
    ByteView* target = fields.named(field.number);
    if (target == nullptr) continue;
    const auto content = field.bytes();
    if (!content) return std::unexpected(content.error());
    *target = *content;
  }
}

Bytes copy(ByteView view) { return {view.begin(), view.end()}; }

}  // namespace

Bytes Envelope::signed_bytes(std::string_view domain, ByteView payload_type, ByteView payload) {
  Bytes out;
  out.reserve(domain.size() + payload_type.size() + payload.size() + 3 * kVarintBytesMax);
  for (const ByteView part : {as_bytes(domain), payload_type, payload}) {
    append_varint(out, part.size());
    ByteWriter(out).append(part);
  }
  return out;
}

Bytes Envelope::seal(const KeyPair& key, std::string_view domain, ByteView payload_type,
                     ByteView payload) {
  Bytes out;
  wire::ProtoWriter writer(out);
  writer.bytes(kKeyField, key.public_key());
  writer.bytes(kTypeField, payload_type);
  writer.bytes(kPayloadField, payload);
  writer.bytes(kSignatureField, key.sign(signed_bytes(domain, payload_type, payload)));
  return out;
}

Result<Envelope> Envelope::decode(ByteView bytes) {
  if (bytes.size() > kBytesMax) return fail(Code::kMalformed, "envelope: too long", kBytesMax);
  const auto fields = decode_fields(bytes);
  if (!fields) return std::unexpected(fields.error());
  if (fields->key.empty() || fields->payload_type.empty() || fields->signature.empty()) {
    return fail(Code::kMalformed, "envelope: a field is missing");
  }
  auto key = PublicKey::decode(fields->key);
  if (!key) return std::unexpected(key.error());
  return Envelope{std::move(*key), copy(fields->payload_type), copy(fields->payload),
                  copy(fields->signature)};
}

Result<void> Envelope::verify(std::string_view domain) const {
  return key.verify(signed_bytes(domain, payload_type, payload), signature);
}

Result<Envelope> Envelope::open(ByteView bytes, std::string_view domain) {
  auto envelope = decode(bytes);
  if (!envelope) return envelope;
  if (const auto good = envelope->verify(domain); !good) return std::unexpected(good.error());
  return envelope;
}

}  // namespace p2pa
