#include "wire/protobuf.hpp"

#include <iterator>
#include <protozero/pbf_reader.hpp>
#include <protozero/varint.hpp>

namespace p2pa::wire {

namespace {

using protozero::pbf_wire_type;

void append_uint(Bytes& out, std::uint64_t value) {
  protozero::write_varint(std::back_inserter(out), value);
}

void append_key(Bytes& out, std::uint32_t field, pbf_wire_type type) {
  append_uint(out, std::uint64_t{field} << 3 | static_cast<std::uint32_t>(type));
}

/// Throws what protozero throws.
void read_content(protozero::pbf_reader& reader, ProtoField& field) {
  switch (reader.wire_type()) {
    case pbf_wire_type::varint:
      field.kind = ProtoField::Kind::kVarint;
      field.value = reader.get_uint64();
      break;
    case pbf_wire_type::fixed64:
      field.kind = ProtoField::Kind::kFixed;
      field.value = reader.get_fixed64();
      break;
    case pbf_wire_type::fixed32:
      field.kind = ProtoField::Kind::kFixed;
      field.value = reader.get_fixed32();
      break;
    default: {  // length_delimited: the reader refused all others
      field.kind = ProtoField::Kind::kBytes;
      const protozero::data_view view = reader.get_view();
      field.content = as_bytes({view.data(), view.size()});
    }
  }
}

std::unexpected<Error> wrong_kind() {
  return fail(Code::kMalformed, "protobuf: a field of another type than its message says");
}

}  // namespace

Result<std::uint64_t> ProtoField::varint() const {
  if (kind != Kind::kVarint) return wrong_kind();
  return value;
}

Result<std::uint64_t> ProtoField::fixed() const {
  if (kind != Kind::kFixed) return wrong_kind();
  return value;
}

Result<ByteView> ProtoField::bytes() const {
  if (kind != Kind::kBytes) return wrong_kind();
  return content;
}

Result<std::string_view> ProtoField::text() const {
  if (kind != Kind::kBytes) return wrong_kind();
  return as_text(content);
}

Result<bool> ProtoReader::next(ProtoField& field) {
  field = {};
  if (rest_.empty()) return false;
  const std::string_view text = as_text(rest_);
  protozero::pbf_reader reader(text.data(), text.size());
  try {
    if (!reader.next()) return false;
    field.number = reader.tag();
    read_content(reader, field);
  } catch (const protozero::exception&) {
    return fail(Code::kMalformed, "protobuf: malformed message");
  }
  rest_ = rest_.last(reader.length());
  return true;
}

void ProtoWriter::varint(std::uint32_t field, std::uint64_t value) {
  append_key(*out_, field, pbf_wire_type::varint);
  append_uint(*out_, value);
}

void ProtoWriter::bytes(std::uint32_t field, ByteView content) {
  append_key(*out_, field, pbf_wire_type::length_delimited);
  append_uint(*out_, content.size());
  out_->insert(out_->end(), content.begin(), content.end());
}

void ProtoWriter::fixed64(std::uint32_t field, std::uint64_t value) {
  append_key(*out_, field, pbf_wire_type::fixed64);
  for (int i = 0; i < 8; ++i) out_->push_back(static_cast<std::uint8_t>(value >> 8 * i));
}

}  // namespace p2pa::wire
