#include "transport/tls/der.hpp"

#include "base/byte_writer.hpp"

namespace p2pa::tls::der {
namespace {

constexpr std::uint8_t kLongLength = 0x80;

Result<std::size_t> read_length(ByteReader& reader) {
  const auto first = reader.u8();
  if (!first) return fail(Code::kMalformed, "DER: no length");
  if (*first < kLongLength) return *first;
  const std::size_t count = *first & 0x7f;
  if (count == 0 || count > 3) return fail(Code::kMalformed, "DER: indefinite or huge length");
  const auto raw = reader.take(count);
  if (!raw) return fail(Code::kMalformed, "DER: length cut short");
  std::size_t length = 0;
  for (const std::uint8_t byte : *raw) length = length << 8 | byte;
  if ((*raw)[0] == 0 || length < kLongLength) return fail(Code::kMalformed, "DER: length not minimal");
  return length;
}

/// Days since 1970-01-01 of a date in the Gregorian calendar; `year` >= 0.
std::int64_t days(std::int64_t year, std::int64_t month, std::int64_t day) {
  // The year is taken to begin in March, so that the leap day is its last.
  if (month <= 2) --year;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719'468;
}

bool leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int days_of_month(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && leap(year) ? 29 : kDays[month - 1];
}

}  // namespace

Result<Element> read(ByteReader& reader) {
  const ByteView rest = reader.rest();
  const std::size_t start = reader.position();
  const auto tag = reader.u8();
  if (!tag) return fail(Code::kMalformed, "DER: an element is missing");
  if ((*tag & 0x1f) == 0x1f) return fail(Code::kMalformed, "DER: tag of several bytes");
  const auto length = read_length(reader);
  if (!length) return std::unexpected(length.error());
  const auto content = reader.take(*length);
  if (!content) return fail(Code::kMalformed, "DER: content cut short");
  return Element{static_cast<Tag>(*tag), *content, rest.first(reader.position() - start)};
}

Result<Element> read(ByteReader& reader, Tag tag) {
  auto element = read(reader);
  if (element && element->tag != tag) return fail(Code::kMalformed, "DER: another type was expected");
  return element;
}

bool next_is(const ByteReader& reader, Tag tag) {
  return !reader.at_end() && reader.rest()[0] == static_cast<std::uint8_t>(tag);
}

Bytes write(Tag tag, std::initializer_list<ByteView> parts) {
  std::size_t length = 0;
  for (const ByteView part : parts) length += part.size();
  Bytes out;
  ByteWriter writer(out);
  writer.u8(static_cast<std::uint8_t>(tag));
  if (length >= 0x100) {
    writer.u8(kLongLength | 2);
    writer.big_endian(static_cast<std::uint16_t>(length));
  } else {
    if (length >= kLongLength) writer.u8(kLongLength | 1);
    writer.u8(static_cast<std::uint8_t>(length));
  }
  for (const ByteView part : parts) writer.append(part);
  return out;
}

Result<std::int64_t> unix_time(const Element& time) {
  constexpr auto kBad = "DER: bad time";
  const bool utc = time.tag == Tag::kUtcTime;
  if (!utc && time.tag != Tag::kGeneralizedTime) return fail(Code::kMalformed, kBad);
  const std::size_t year_digits = utc ? 2 : 4;
  const ByteView text = time.content;
  if (text.size() != year_digits + 11 || text.back() != 'Z') return fail(Code::kMalformed, kBad);
  for (const std::uint8_t c : text.first(text.size() - 1)) {
    if (c < '0' || c > '9') return fail(Code::kMalformed, kBad);
  }
  const auto two = [&](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  int year = utc ? two(0) : two(0) * 100 + two(2);
  if (utc) year += year < 50 ? 2000 : 1900;  // RFC 5280 §4.1.2.5.1
  const int month = two(year_digits), day = two(year_digits + 2), hour = two(year_digits + 4),
            minute = two(year_digits + 6), second = two(year_digits + 8);
  if (month < 1 || month > 12 || day < 1 || day > days_of_month(year, month) || hour > 23 ||
      minute > 59 || second > 59) {
    return fail(Code::kMalformed, kBad);
  }
  return ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
}

}  // namespace p2pa::tls::der
