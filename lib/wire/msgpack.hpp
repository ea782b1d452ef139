#pragma once
// A cursor over msgpack (msgpack.org, spec of 2013 with bin and str apart): what small headers need,
// without a tree, a copy or an allocation. Why not msgpack-c: docs/adr/0001-msgpack-cursor.md.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/byte_reader.hpp"
#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa::wire {

/// Appends values to a buffer that its owner lends. Every value in its shortest form, so the same
/// values give the same bytes.
class MsgpackWriter {
 public:
  explicit MsgpackWriter(Bytes& out) : out_(&out) {}

  void nil();
  void boolean(bool value);
  void uint(std::uint64_t value);
  void integer(std::int64_t value);
  void str(std::string_view text);
  void bin(ByteView bytes);
  /// The head alone; the caller sends the `size` bytes after it himself.
  void bin_header(std::uint32_t size);
  /// The next `count` values belong to the array.
  void array(std::uint32_t count);
  /// The next `count` pairs of values belong to the map.
  void map(std::uint32_t count);

 private:
  template <class T>
  void head(std::uint8_t type, T value);

  Bytes* out_;
};

/// Reads values one after the other; texts and binaries are views into the source. Any legal encoding
/// of a value is taken, not only the shortest. Errors: kTruncated, the bytes end inside the value;
/// kMalformed, not msgpack, or another type than asked for. The cursor does not move on an error.
class MsgpackReader {
 public:
  /// How deep skip() follows values inside values.
  static constexpr std::size_t kDepthMax = 16;

  enum class Type : std::uint8_t {
    kNil, kBoolean, kInteger, kFloat, kStr, kBin, kArray, kMap, kExt
  };

  explicit MsgpackReader(ByteView bytes) : reader_(bytes) {}

  std::size_t position() const { return reader_.position(); }
  bool at_end() const { return reader_.at_end(); }
  ByteView rest() const { return reader_.rest(); }

  /// What comes next, without taking it.
  Result<Type> peek() const;

  Result<void> nil();
  Result<bool> boolean();
  Result<std::uint64_t> uint();
  Result<std::int64_t> integer();
  Result<std::string_view> str();  ///< not checked for UTF-8
  Result<ByteView> bin();
  /// The length of a binary whose bytes follow and may not be here yet.
  Result<std::uint32_t> bin_header();
  /// The number of values, or of pairs, that follow. Never more than the bytes left could hold.
  Result<std::uint32_t> array();
  Result<std::uint32_t> map();
  /// Passes over one value of any type with all that is in it. kMalformed: deeper than kDepthMax.
  Result<void> skip();

 private:
  ByteReader reader_;
};

}  // namespace p2pa::wire
