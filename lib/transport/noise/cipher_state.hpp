#pragma once
// CipherState of the Noise Protocol Framework (rev 34 §5.1) with ChaChaPoly (§12.3).

#include <cstddef>
#include <cstdint>

#include "crypto/chacha20_poly1305.hpp"
#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa::noise {

inline constexpr std::size_t kTagSize = crypto::kChachaTagSize;

/// A key and the number of the next message under it: one direction of a channel. Before it has a key
/// it is of no use.
class CipherState {
 public:
  /// The last number is never used (§5.1).
  static constexpr std::uint64_t kNonceMax = ~std::uint64_t{0} - 1;

  /// REQUIRES 32 bytes.
  void set_key(ByteView key, std::uint64_t nonce = 0);
  bool has_key() const { return has_key_; }

  /// REQUIRES has_key(), a number that is left (nobody lives to send the last one), and
  /// out.size() == plain.size() + kTagSize; no overlap.
  void seal(ByteView associated, ByteView plain, MutableBytes out);
  /// kProtocolViolation: the message is not the next one of the other end, or no number is left. The
  /// number stays, so that the same message fails again. REQUIRES has_key(), and
  /// sealed.size() == out.size() + kTagSize; no overlap.
  Result<void> open(ByteView associated, ByteView sealed, MutableBytes out);

 private:
  crypto::ChachaKey key_;
  std::uint64_t nonce_ = 0;
  bool has_key_ = false;
};

}  // namespace p2pa::noise
