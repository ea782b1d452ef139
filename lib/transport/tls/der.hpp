#pragma once
// Distinguished Encoding Rules (X.690), as much as a certificate needs.

#include <cstdint>
#include <initializer_list>

#include "base/byte_reader.hpp"
#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa::tls::der {

/// Tag bytes: class, constructed bit and number in one.
enum class Tag : std::uint8_t {
  kBoolean = 0x01, kInteger = 0x02, kBitString = 0x03, kOctetString = 0x04, kOid = 0x06,
  kUtf8String = 0x0c, kUtcTime = 0x17, kGeneralizedTime = 0x18, kSequence = 0x30, kSet = 0x31,
  kContext0 = 0xa0, kContext3 = 0xa3,
};

struct Element {
  Tag tag{};
  ByteView content;
  ByteView whole;  ///< with tag and length: what a signature covers
};

/// Takes the next element apart. kMalformed: cut short, indefinite or not minimal length, or a tag of
/// several bytes.
Result<Element> read(ByteReader& reader);
/// The same, and kMalformed when its tag is another one.
Result<Element> read(ByteReader& reader, Tag tag);
/// The tag of the next element, without moving; nothing at the end.
bool next_is(const ByteReader& reader, Tag tag);

/// One element of the parts, one behind the other.
Bytes write(Tag tag, std::initializer_list<ByteView> parts);

/// Seconds since 1970 of a UTCTime or GeneralizedTime in the form of RFC 5280 §4.1.2.5. kMalformed.
Result<std::int64_t> unix_time(const Element& time);

}  // namespace p2pa::tls::der
