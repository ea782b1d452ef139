#pragma once
// The one way to take bytes apart. Every read is checked; nothing is copied.

#include <concepts>
#include <cstddef>
#include <cstdint>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa {

/// A cursor over bytes that somebody else owns. A read that would pass the end answers kTruncated and
/// leaves the cursor where it was, so that a caller with more bytes may try again.
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : bytes_(bytes) {}

  std::size_t position() const { return position_; }
  std::size_t remaining() const { return bytes_.size() - position_; }
  bool at_end() const { return remaining() == 0; }
  /// Everything not read yet.
  ByteView rest() const { return bytes_.subspan(position_); }

  /// An unsigned integer in network byte order: `reader.big_endian<std::uint16_t>()`.
  template <std::unsigned_integral T>
  Result<T> big_endian() {
    if (remaining() < sizeof(T)) return short_read(sizeof(T));
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      value = static_cast<T>(value << (8 * (sizeof(T) > 1)) | bytes_[position_ + i]);
    }
    position_ += sizeof(T);
    return value;
  }
  Result<std::uint8_t> u8() { return big_endian<std::uint8_t>(); }

  /// The next n bytes, a view into the source.
  Result<ByteView> take(std::size_t n) {
    if (remaining() < n) return short_read(n);
    const ByteView taken = bytes_.subspan(position_, n);
    position_ += n;
    return taken;
  }
  Result<void> skip(std::size_t n) {
    if (remaining() < n) return short_read(n);
    position_ += n;
    return {};
  }

 private:
  std::unexpected<Error> short_read(std::size_t wanted) const {
    return fail(Code::kTruncated, "bytes end too early", wanted - remaining());
  }

  ByteView bytes_;
  std::size_t position_ = 0;
};

}  // namespace p2pa
