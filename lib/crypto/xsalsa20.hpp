#pragma once
// XSalsa20 as a stream: secrecy without authenticity, for a private network's outermost cipher.

#include <array>
#include <cstdint>

#include "crypto/secret_bytes.hpp"

namespace p2pa::crypto {

inline constexpr std::size_t kXsalsaKeySize = 32, kXsalsaNonceSize = 24;

/// One key stream from its begin, in pieces of any size.
class Xsalsa20 final {
 public:
  /// REQUIRES the sizes above.
  Xsalsa20(ByteView key, ByteView nonce);

  /// Combines the next of the key stream with `bytes`, in place: seals, or opens what was sealed.
  void apply(MutableBytes bytes);

 private:
  static constexpr std::size_t kBlock = 64;

  SecretBytes<kXsalsaKeySize> key_;
  std::array<std::uint8_t, kXsalsaNonceSize> nonce_;
  SecretBytes<kBlock> block_;     // the one that was begun
  std::size_t used_ = kBlock;     // of it
  std::uint64_t next_block_ = 0;
};

}  // namespace p2pa::crypto
