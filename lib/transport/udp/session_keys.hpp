#pragma once
// The keys of a session: one a direction, renewed as the key phase changes (docs/wire/udp.md §packets).

#include <cstddef>
#include <cstdint>
#include <optional>

#include "crypto/chacha20_poly1305.hpp"
#include "p2pagents/bytes.hpp"
#include "transport/udp/packet_codec.hpp"

namespace p2pa::udp {

/// A secret and the key made of it.
class DirectionKey final {
 public:
  /// REQUIRES 32 bytes.
  explicit DirectionKey(ByteView secret);

  ByteView secret() const { return secret_.view(); }
  const crypto::ChachaKey& key() const { return key_; }
  /// Writes the secret of the next phase.
  void next_secret(MutableBytes out) const;

 private:
  crypto::SecretBytes<32> secret_;
  crypto::ChachaKey key_;
};

class SessionKeys final {
 public:
  /// A key of ours seals so many packets at most.
  static constexpr std::uint64_t kPacketsPerKey = 1 << 20;

  /// The secrets of Noise's Split.
  SessionKeys(ByteView sending, ByteView receiving);

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

  std::optional<DirectionKey> sending_, receiving_, previous_, next_;  // the last two of the peer's
  bool sending_phase_ = false, receiving_phase_ = false;
  std::uint64_t sealed_ = 0;  // under this key
  std::optional<std::uint64_t> sending_begin_;
  std::uint64_t receiving_begin_ = 0;  // the smallest number seen under receiving_
};

}  // namespace p2pa::udp
