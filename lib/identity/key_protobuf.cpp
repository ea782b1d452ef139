#include "identity/key_protobuf.hpp"

#include "wire/protobuf.hpp"

namespace p2pa {

namespace {
constexpr std::uint32_t kTypeField = 1, kDataField = 2;
constexpr std::size_t kOverheadMax = 8;  // two keys, a type below 128, a length of up to five bytes
}  // namespace

Result<KeyFields> decode_key_fields(ByteView protobuf) {
  KeyFields fields;
  bool type_seen = false, data_seen = false;
  wire::ProtoReader reader(protobuf);
  wire::ProtoField field;
  for (;;) {
    const auto more = reader.next(field);
    if (!more) return fail(Code::kBadKey, "key: not protobuf");
    if (!*more) break;
    if (field.number == kTypeField) {
      const auto type = field.varint();
      if (!type) return fail(Code::kBadKey, "key: bad type field");
      fields.type = *type;
      type_seen = true;
    } else if (field.number == kDataField) {
      const auto data = field.bytes();
      if (!data) return fail(Code::kBadKey, "key: bad data field");
      fields.data = *data;
      data_seen = true;
    }
  }
  if (!type_seen || !data_seen) return fail(Code::kBadKey, "key: a field is missing");
  return fields;
}

Bytes encode_key_fields(const KeyFields& fields) {
  Bytes out;
  out.reserve(fields.data.size() + kOverheadMax);
  wire::ProtoWriter writer(out);
  writer.varint(kTypeField, fields.type);
  writer.bytes(kDataField, fields.data);
  return out;
}

}  // namespace p2pa
