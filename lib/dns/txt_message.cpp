#include "dns/txt_message.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/byte_reader.hpp"

namespace p2pa::dns {
namespace {

constexpr std::uint16_t kTypeTxt = 16, kClassInternet = 1;  // RFC 1035 §3.2.2, §3.2.4

constexpr Error kBad{Code::kMalformed, 0, "dns: a bad message"};

/// RFC 1035 §4.1.4: labels up to an empty one or a pointer. Where that points to is of no interest here.
bool skip_name(ByteReader& reader) {
  for (;;) {
    const auto length = reader.u8();
    if (!length) return false;
    if ((*length & 0xc0) == 0xc0) return reader.skip(1).has_value();
    if ((*length & 0xc0) != 0) return false;  // reserved
    if (*length == 0) return true;
    if (!reader.skip(*length)) return false;
  }
}

bool skip_question(ByteReader& reader) { return skip_name(reader) && reader.skip(4).has_value(); }

std::optional<std::string> join_strings(ByteView data) {
  std::string out;
  ByteReader reader(data);
  while (!reader.at_end()) {
    const auto length = reader.u8();
    const auto string = reader.take(*length);
    if (!string) return std::nullopt;
    out += as_text(*string);
  }
  return out;
}

struct Record {
  bool is_txt;
  Duration ttl;
  ByteView data;
};

std::optional<Record> read_record(ByteReader& reader) {
  if (!skip_name(reader)) return std::nullopt;
  const auto type = reader.big_endian<std::uint16_t>();
  const auto record_class = reader.big_endian<std::uint16_t>();
  const auto ttl = reader.big_endian<std::uint32_t>();
  const auto size = reader.big_endian<std::uint16_t>();
  if (!type || !record_class || !ttl || !size) return std::nullopt;
  const auto data = reader.take(*size);
  if (!data) return std::nullopt;
  return Record{*type == kTypeTxt && *record_class == kClassInternet, seconds(*ttl), *data};
}

}  // namespace

Result<TxtRecords> read_txt_message(ByteView message) {
  ByteReader reader(message);
  const bool header = reader.skip(4).has_value();  // id and flags
  const auto questions = reader.big_endian<std::uint16_t>();
  const auto answers = reader.big_endian<std::uint16_t>();
  if (!header || !questions || !answers || !reader.skip(4)) return std::unexpected(kBad);
  for (int i = 0; i < *questions; ++i) {
    if (!skip_question(reader)) return std::unexpected(kBad);
  }
  TxtRecords out;
  for (int i = 0; i < *answers && out.texts.size() < kRecordsMax; ++i) {
    const auto record = read_record(reader);
    if (!record) return std::unexpected(kBad);
    if (!record->is_txt) continue;
    auto text = join_strings(record->data);
    if (!text) return std::unexpected(kBad);
    out.ttl = out.texts.empty() ? record->ttl : std::min(out.ttl, record->ttl);
    out.texts.push_back(std::move(*text));
  }
  if (out.texts.empty()) return fail(Code::kNotFound, "dns: the name has no TXT record");
  return out;
}

}  // namespace p2pa::dns
