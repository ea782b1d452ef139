#include "wire/msgpack.hpp"

#include <limits>
#include <type_traits>

#include "base/assert.hpp"
#include "base/byte_writer.hpp"

namespace p2pa::wire {

namespace {

// First bytes (msgpack spec §formats). "Fix" forms carry their value or length in the low bits.
enum Head : std::uint8_t {
  kFixMap = 0x80,
  kFixArray = 0x90,
  kFixStr = 0xa0,
  kNil = 0xc0,
  kNeverUsed = 0xc1,
  kFalse = 0xc2,
  kTrue = 0xc3,
  kBin8 = 0xc4,
  kBin16 = 0xc5,
  kBin32 = 0xc6,
  kExt8 = 0xc7,
  kExt16 = 0xc8,
  kExt32 = 0xc9,
  kFloat32 = 0xca,
  kFloat64 = 0xcb,
  kUint8 = 0xcc,
  kUint16 = 0xcd,
  kUint32 = 0xce,
  kUint64 = 0xcf,
  kInt8 = 0xd0,
  kInt16 = 0xd1,
  kInt32 = 0xd2,
  kInt64 = 0xd3,
  kFixExt1 = 0xd4,
  kFixExt16 = 0xd8,
  kStr8 = 0xd9,
  kStr16 = 0xda,
  kStr32 = 0xdb,
  kArray16 = 0xdc,
  kArray32 = 0xdd,
  kMap16 = 0xde,
  kMap32 = 0xdf,
  kNegativeFix = 0xe0,
};

template <class T>
constexpr bool fits(std::uint64_t value) {
  return value <= static_cast<std::uint64_t>(std::numeric_limits<T>::max());
}

std::unexpected<Error> wrong_type() {
  return fail(Code::kMalformed, "msgpack: another type than expected");
}

template <class T>
Result<std::uint64_t> widened(ByteReader& reader) {
  const auto value = reader.big_endian<T>();
  if (!value) return std::unexpected(value.error());
  return *value;
}

/// Any integer: the signed forms hold non-negative values too.
struct Integer {
  std::uint64_t bits = 0;  ///< two's complement
  bool negative = false;
};

template <class T>
Result<Integer> unsigned_integer(ByteReader& reader) {
  const auto value = widened<T>(reader);
  if (!value) return std::unexpected(value.error());
  return Integer{*value, false};
}

template <class T>
Result<Integer> signed_integer(ByteReader& reader) {
  const auto value = reader.big_endian<std::make_unsigned_t<T>>();
  if (!value) return std::unexpected(value.error());
  const std::int64_t extended = static_cast<T>(*value);
  return Integer{static_cast<std::uint64_t>(extended), extended < 0};
}

Result<Integer> read_integer(ByteReader& reader) {
  const auto head = reader.u8();
  if (!head) return std::unexpected(head.error());
  if (*head < kFixMap) return Integer{*head, false};
  if (*head >= kNegativeFix) return Integer{~std::uint64_t{0xff} | *head, true};
  switch (*head) {
    case kUint8: return unsigned_integer<std::uint8_t>(reader);
    case kUint16: return unsigned_integer<std::uint16_t>(reader);
    case kUint32: return unsigned_integer<std::uint32_t>(reader);
    case kUint64: return unsigned_integer<std::uint64_t>(reader);
    case kInt8: return signed_integer<std::int8_t>(reader);
    case kInt16: return signed_integer<std::int16_t>(reader);
    case kInt32: return signed_integer<std::int32_t>(reader);
    case kInt64: return signed_integer<std::int64_t>(reader);
    default: return wrong_type();
  }
}

/// The heads of one kind that has a length: a fix form (none: fix_mask 0) and up to three sizes.
struct LengthHeads {
  std::uint8_t fix, fix_mask;
  std::uint8_t of8, of16, of32;  // kNeverUsed where the kind has no such form
};
constexpr LengthHeads kStrHeads{kFixStr, 0x1f, kStr8, kStr16, kStr32};
constexpr LengthHeads kBinHeads{kNeverUsed, 0, kBin8, kBin16, kBin32};
constexpr LengthHeads kArrayHeads{kFixArray, 0x0f, kNeverUsed, kArray16, kArray32};
constexpr LengthHeads kMapHeads{kFixMap, 0x0f, kNeverUsed, kMap16, kMap32};

Result<std::uint64_t> read_length(ByteReader& reader, const LengthHeads& heads) {
  const auto head = reader.u8();
  if (!head) return std::unexpected(head.error());
  if (*head == kNeverUsed) return wrong_type();
  if (heads.fix_mask != 0 && (*head & ~heads.fix_mask) == heads.fix) return *head & heads.fix_mask;
  if (*head == heads.of8) return widened<std::uint8_t>(reader);
  if (*head == heads.of16) return widened<std::uint16_t>(reader);
  if (*head == heads.of32) return widened<std::uint32_t>(reader);
  return wrong_type();
}

/// A count of values that follow. Each takes a byte or more, so a larger count is a lie.
Result<std::uint64_t> read_count(ByteReader& reader, const LengthHeads& heads,
                                 std::uint64_t values_each) {
  const auto count = read_length(reader, heads);
  if (!count) return count;
  if (*count * values_each > reader.remaining()) {
    return fail(Code::kTruncated, "msgpack: fewer bytes than values");
  }
  return count;
}

Result<ByteView> read_block(ByteReader& reader, const LengthHeads& heads) {
  const auto size = read_length(reader, heads);
  if (!size) return std::unexpected(size.error());
  return reader.take(*size);
}

Result<std::uint64_t> read_ext_size(ByteReader& reader) {
  const std::uint8_t head = *reader.u8();  // looked at before
  switch (head) {
    case kExt8: return widened<std::uint8_t>(reader);
    case kExt16: return widened<std::uint16_t>(reader);
    case kExt32: return widened<std::uint32_t>(reader);
    default: return std::uint64_t{1} << (head - kFixExt1);
  }
}

Result<void> skip_ext(ByteReader& reader) {
  const auto size = read_ext_size(reader);
  if (!size) return std::unexpected(size.error());
  return reader.skip(*size + 1);  // and the byte that says which extension
}

Result<MsgpackReader::Type> type_of(std::uint8_t head) {
  using Type = MsgpackReader::Type;
  if (head < kFixMap) return Type::kInteger;
  if (head < kFixArray) return Type::kMap;
  if (head < kFixStr) return Type::kArray;
  if (head < kNil) return Type::kStr;
  if (head >= kNegativeFix) return Type::kInteger;
  if (head == kNil) return Type::kNil;
  if (head == kNeverUsed) return fail(Code::kMalformed, "msgpack: byte 0xc1");
  if (head <= kTrue) return Type::kBoolean;
  if (head <= kBin32) return Type::kBin;
  if (head <= kExt32) return Type::kExt;
  if (head <= kFloat64) return Type::kFloat;
  if (head <= kInt64) return Type::kInteger;
  if (head <= kFixExt16) return Type::kExt;
  if (head <= kStr32) return Type::kStr;
  return head <= kArray32 ? Type::kArray : Type::kMap;
}

/// Passes over one value. Answers how many values it holds: 0 unless it is an array or a map.
Result<std::uint64_t> skip_head(ByteReader& reader, MsgpackReader::Type type) {
  using Type = MsgpackReader::Type;
  Result<void> skipped;
  switch (type) {
    case Type::kArray: return read_count(reader, kArrayHeads, 1);
    case Type::kMap: {
      const auto pairs = read_count(reader, kMapHeads, 2);
      if (!pairs) return pairs;
      return *pairs * 2;
    }
    case Type::kNil:
    case Type::kBoolean: skipped = reader.skip(1); break;
    case Type::kFloat: skipped = reader.skip(*reader.u8() == kFloat32 ? 4 : 8); break;
    case Type::kExt: skipped = skip_ext(reader); break;
    case Type::kInteger:
      if (const auto value = read_integer(reader); !value) skipped = std::unexpected(value.error());
      break;
    case Type::kStr:
    case Type::kBin: {
      const auto block = read_block(reader, type == Type::kStr ? kStrHeads : kBinHeads);
      if (!block) skipped = std::unexpected(block.error());
      break;
    }
  }
  if (!skipped) return std::unexpected(skipped.error());
  return 0;
}

}  // namespace

template <class T>
void MsgpackWriter::head(std::uint8_t type, T value) {
  ByteWriter writer(*out_);
  writer.u8(type);
  writer.big_endian(value);
}

void MsgpackWriter::nil() { out_->push_back(kNil); }

void MsgpackWriter::boolean(bool value) { out_->push_back(value ? kTrue : kFalse); }

void MsgpackWriter::uint(std::uint64_t value) {
  if (value < kFixMap) {
    out_->push_back(static_cast<std::uint8_t>(value));
  } else if (fits<std::uint8_t>(value)) {
    head(kUint8, static_cast<std::uint8_t>(value));
  } else if (fits<std::uint16_t>(value)) {
    head(kUint16, static_cast<std::uint16_t>(value));
  } else if (fits<std::uint32_t>(value)) {
    head(kUint32, static_cast<std::uint32_t>(value));
  } else {
    head(kUint64, value);
  }
}

void MsgpackWriter::integer(std::int64_t value) {
  if (value >= 0) {
    uint(static_cast<std::uint64_t>(value));
  } else if (value >= -32) {
    out_->push_back(static_cast<std::uint8_t>(value));
  } else if (value >= std::numeric_limits<std::int8_t>::min()) {
    head(kInt8, static_cast<std::uint8_t>(value));
  } else if (value >= std::numeric_limits<std::int16_t>::min()) {
    head(kInt16, static_cast<std::uint16_t>(value));
  } else if (value >= std::numeric_limits<std::int32_t>::min()) {
    head(kInt32, static_cast<std::uint32_t>(value));
  } else {
    head(kInt64, static_cast<std::uint64_t>(value));
  }
}

void MsgpackWriter::str(std::string_view text) {
  const std::size_t size = text.size();
  P2PA_ASSERT(fits<std::uint32_t>(size));
  if (size <= kStrHeads.fix_mask) {
    out_->push_back(static_cast<std::uint8_t>(kFixStr | size));
  } else if (fits<std::uint8_t>(size)) {
    head(kStr8, static_cast<std::uint8_t>(size));
  } else if (fits<std::uint16_t>(size)) {
    head(kStr16, static_cast<std::uint16_t>(size));
  } else {
    head(kStr32, static_cast<std::uint32_t>(size));
  }
  ByteWriter(*out_).append(text);
}

void MsgpackWriter::bin(ByteView bytes) {
  P2PA_ASSERT(fits<std::uint32_t>(bytes.size()));
  bin_header(static_cast<std::uint32_t>(bytes.size()));
  ByteWriter(*out_).append(bytes);
}

void MsgpackWriter::bin_header(std::uint32_t size) {
  if (fits<std::uint8_t>(size)) {
    head(kBin8, static_cast<std::uint8_t>(size));
  } else if (fits<std::uint16_t>(size)) {
    head(kBin16, static_cast<std::uint16_t>(size));
  } else {
    head(kBin32, size);
  }
}

void MsgpackWriter::array(std::uint32_t count) {
  if (count <= kArrayHeads.fix_mask) {
    out_->push_back(static_cast<std::uint8_t>(kFixArray | count));
  } else if (fits<std::uint16_t>(count)) {
    head(kArray16, static_cast<std::uint16_t>(count));
  } else {
    head(kArray32, count);
  }
}

void MsgpackWriter::map(std::uint32_t count) {
  if (count <= kMapHeads.fix_mask) {
    out_->push_back(static_cast<std::uint8_t>(kFixMap | count));
  } else if (fits<std::uint16_t>(count)) {
    head(kMap16, static_cast<std::uint16_t>(count));
  } else {
    head(kMap32, count);
  }
}

Result<MsgpackReader::Type> MsgpackReader::peek() const {
  if (at_end()) return fail(Code::kTruncated, "bytes end too early");
  return type_of(rest()[0]);
}

Result<void> MsgpackReader::nil() {
  const auto type = peek();
  if (!type) return std::unexpected(type.error());
  if (*type != Type::kNil) return wrong_type();
  return reader_.skip(1);
}

Result<bool> MsgpackReader::boolean() {
  const auto type = peek();
  if (!type) return std::unexpected(type.error());
  if (*type != Type::kBoolean) return wrong_type();
  return *reader_.u8() == kTrue;
}

Result<std::uint64_t> MsgpackReader::uint() {
  ByteReader ahead = reader_;
  const auto value = read_integer(ahead);
  if (!value) return std::unexpected(value.error());
  if (value->negative) return fail(Code::kMalformed, "msgpack: negative where it may not be");
  reader_ = ahead;
  return value->bits;
}

Result<std::int64_t> MsgpackReader::integer() {
  ByteReader ahead = reader_;
  const auto value = read_integer(ahead);
  if (!value) return std::unexpected(value.error());
  if (!value->negative && !fits<std::int64_t>(value->bits)) {
    return fail(Code::kMalformed, "msgpack: integer above 63 bits");
  }
  reader_ = ahead;
  return static_cast<std::int64_t>(value->bits);
}

Result<std::string_view> MsgpackReader::str() {
  ByteReader ahead = reader_;
  const auto block = read_block(ahead, kStrHeads);
  if (!block) return std::unexpected(block.error());
  reader_ = ahead;
  return as_text(*block);
}

Result<ByteView> MsgpackReader::bin() {
  ByteReader ahead = reader_;
  const auto block = read_block(ahead, kBinHeads);
  if (block) reader_ = ahead;
  return block;
}

Result<std::uint32_t> MsgpackReader::bin_header() {
  ByteReader ahead = reader_;
  const auto size = read_length(ahead, kBinHeads);
  if (!size) return std::unexpected(size.error());
  reader_ = ahead;
  return static_cast<std::uint32_t>(*size);
}

Result<std::uint32_t> MsgpackReader::array() {
  ByteReader ahead = reader_;
  const auto count = read_count(ahead, kArrayHeads, 1);
  if (!count) return std::unexpected(count.error());
  reader_ = ahead;
  return static_cast<std::uint32_t>(*count);
}

Result<std::uint32_t> MsgpackReader::map() {
  ByteReader ahead = reader_;
  const auto count = read_count(ahead, kMapHeads, 2);
  if (!count) return std::unexpected(count.error());
  reader_ = ahead;
  return static_cast<std::uint32_t>(*count);
}

Result<void> MsgpackReader::skip() {
  // Values still to pass over at each depth; no recursion, whatever the peer nests.
  std::uint64_t left[kDepthMax];
  std::size_t depth = 0;
  MsgpackReader ahead = *this;
  for (;;) {
    const auto type = ahead.peek();
    if (!type) return std::unexpected(type.error());
    const auto inside = skip_head(ahead.reader_, *type);
    if (!inside) return std::unexpected(inside.error());
    if (*inside > 0) {
      if (depth == kDepthMax) return fail(Code::kMalformed, "msgpack: nested too deep");
      left[depth++] = *inside;
      continue;
    }
    while (depth > 0 && --left[depth - 1] == 0) --depth;
    if (depth == 0) break;
  }
  *this = ahead;
  return {};
}

}  // namespace p2pa::wire
