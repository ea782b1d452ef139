#pragma once
#include <algorithm>
#include <array>
#include <cstddef>

#include "p2pagents/bytes.hpp"

namespace p2pa::crypto {

/// Overwrites with zeros, and is not optimised away.
void wipe(MutableBytes secret) noexcept;

/// Equal? In time that depends on the sizes alone.
bool equal_constant_time(ByteView a, ByteView b) noexcept;

/// A secret of fixed size, wiped when it goes. Neither copied nor moved.
template <std::size_t N>
class SecretBytes {
 public:
  SecretBytes() = default;
  ~SecretBytes() { wipe(bytes_); }
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;

  static constexpr std::size_t size() { return N; }
  ByteView view() const { return bytes_; }
  MutableBytes span() { return bytes_; }

 private:
  std::array<std::uint8_t, N> bytes_{};
};

}  // namespace p2pa::crypto
