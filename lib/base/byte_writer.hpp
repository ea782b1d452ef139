#pragma once
// The one way to put bytes together.

#include <concepts>
#include <cstddef>
#include <cstdint>

#include "p2pagents/bytes.hpp"

namespace p2pa {

/// Appends to a buffer that its owner lends and may use again without allocating. Cannot fail.
class ByteWriter {
 public:
  explicit ByteWriter(Bytes& out) : out_(&out) {}

  /// In network byte order: `writer.big_endian(std::uint16_t{4001})`.
  template <std::unsigned_integral T>
  void big_endian(T value) {
    std::uint8_t raw[sizeof(T)];
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      raw[i] = static_cast<std::uint8_t>(value >> (8 * (sizeof(T) - 1 - i)));
    }
    append(raw);
  }
  void u8(std::uint8_t value) { out_->push_back(value); }
  void append(ByteView bytes);
  void append(std::string_view text) { append(as_bytes(text)); }

  Bytes& out() { return *out_; }

 private:
  Bytes* out_;
};

}  // namespace p2pa
