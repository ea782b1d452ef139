#pragma once
// The keys of a session: one a direction, renewed as the key phase changes (docs/wire/udp.md §packets).

#include <cstddef>
#include <cstdint>
#include <optional>

#include "crypto/aes256_gcm.hpp"
#include "crypto/chacha20_poly1305.hpp"
#include "p2pagents/bytes.hpp"
#include "transport/udp/packet_codec.hpp"

namespace p2pa::udp {

/// AES-256-GCM where both ends have hardware for it; without it is slow, or tells of the key by its timing.
enum class Cipher : std::uint8_t { kChacha20Poly1305, kAes256Gcm };

/// A secret and the key made of it.
class DirectionKey final {
 public:
  /// REQUIRES 32 bytes.
  DirectionKey(Cipher cipher, ByteView secret);

  ByteView secret() const { return secret_.view(); }
  void seal(std::uint64_t number, ByteView header, ByteView frames, MutableBytes out) const;
  bool open(std::uint64_t number, ByteView header, ByteView sealed, MutableBytes out) const;
  /// Writes the secret of the next phase.
  void next_secret(MutableBytes out) const;

 private:
  crypto::SecretBytes<32> secret_, key_;
  std::optional<crypto::Aes256Gcm> aes_;  // or ChaCha20-Poly1305
};

class SessionKeys final {
 public:
  /// A key of ours seals so many packets at most.
  static constexpr std::uint64_t kPacketsPerKey = 1 << 20;

  /// The secrets of Noise's Split.
  SessionKeys(Cipher cipher, ByteView sending, ByteView receiving);

  /// Writes header, frames and tag: kDataHeaderSize + frames.size() + kTagSize bytes. Numbers rise.
  void seal(Cid destination, std::uint64_t number, ByteView frames, MutableBytes out);
  /// Opens a DATA packet. False: not authentic, and nothing changed; otherwise the peer's phase is followed.
  /// REQUIRES a packet that decode_data() took, and out.size() of the frames in it.
  [[nodiscard]] bool open(const DataHeader& header, ByteView packet, MutableBytes out);

  /// Begins a new phase. REQUIRES that a packet of the phase that ends was acknowledged.
  void update();
  bool worn() const { return sealed_ >= kPacketsPerKey; }
  /// The number of the first packet that is sealed in this phase, once there is one.
  std::optional<std::uint64_t> phase_begin() const { return sending_begin_; }
  bool phase() const { return sending_phase_; }

 private:
  void advance_sending();
  void advance_receiving(std::uint64_t number);

  Cipher cipher_;
  std::optional<DirectionKey> sending_, receiving_, previous_, next_;  // the last two of the peer's
  bool sending_phase_ = false, receiving_phase_ = false;
  std::uint64_t sealed_ = 0;  // under this key
  std::optional<std::uint64_t> sending_begin_;
  std::uint64_t receiving_begin_ = 0;  // the smallest number seen under receiving_
};

}  // namespace p2pa::udp
