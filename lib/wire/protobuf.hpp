#pragma once
// Protobuf messages, field by field (protozero underneath; its exceptions stay in the .cpp).

#include <cstdint>
#include <string_view>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa::wire {

/// One field as it came. Of which type it is, only the asker knows: asking for the other kind is
/// kMalformed.
struct ProtoField {
  enum class Kind : std::uint8_t { kVarint, kBytes, kFixed };

  std::uint32_t number = 0;
  Kind kind = Kind::kVarint;
  std::uint64_t value = 0;  ///< of a varint, or of a fixed32 or fixed64
  ByteView content;         ///< of bytes, a string or a message: points into the source

  Result<std::uint64_t> varint() const;
  Result<std::uint64_t> fixed() const;
  Result<ByteView> bytes() const;
  Result<std::string_view> text() const;  ///< not checked for UTF-8
};

/// Goes through the fields in the order in which they came. Unknown ones are the caller's to ignore.
class ProtoReader {
 public:
  explicit ProtoReader(ByteView message) : rest_(message) {}

  /// Reads the next field; false at the end. kMalformed: not protobuf (groups included).
  Result<bool> next(ProtoField& field);

 private:
  ByteView rest_;
};

/// Appends fields in the order of the calls, in minimal varints, so that the same calls give the same
/// bytes.
class ProtoWriter {
 public:
  explicit ProtoWriter(Bytes& out) : out_(&out) {}

  void varint(std::uint32_t field, std::uint64_t value);
  /// Also strings and messages.
  void bytes(std::uint32_t field, ByteView content);
  void text(std::uint32_t field, std::string_view content) { bytes(field, as_bytes(content)); }
  void fixed64(std::uint32_t field, std::uint64_t value);

 private:
  Bytes* out_;
};

}  // namespace p2pa::wire
