#pragma once
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa {

/// The name of a peer: the multihash of its public key (spec: peer-ids/peer-ids.md). A value of
/// fixed size; equal, ordered and hashed by its bytes. The default one is empty and names nobody.
class PeerId {
 public:
  /// identity hash of a 42-byte key protobuf is the longest: 0x00 0x2a + 42
  static constexpr std::size_t kSizeMax = 44;

  PeerId() = default;

  /// From the binary multihash. kMalformed: not an identity or sha2-256 multihash of legal size.
  static Result<PeerId> from_bytes(ByteView multihash);
  /// From the deterministic PublicKey protobuf; hashes it when longer than 42 bytes.
  static PeerId from_public_key(ByteView key_protobuf);
  /// base58btc (`12D3KooW…`, `Qm…`) or CIDv1 with codec libp2p-key (`bafz…`, any multibase we know).
  static Result<PeerId> parse(std::string_view text);

  ByteView bytes() const { return {data_.data(), size_}; }
  bool empty() const { return size_ == 0; }
  /// base58btc, the form that people see.
  std::string to_string() const;
  /// CIDv1 in base32, for where only CIDs are understood.
  std::string to_cid() const;
  /// The key protobuf, when the id carries it (identity multihash); empty otherwise.
  ByteView inline_public_key() const;

  friend bool operator==(const PeerId& a, const PeerId& b) {
    return a.size_ == b.size_ && a.data_ == b.data_;
  }
  friend std::strong_ordering operator<=>(const PeerId& a, const PeerId& b) {
    return a.data_ == b.data_ ? a.size_ <=> b.size_ : a.data_ <=> b.data_;
  }

 private:
  std::array<std::uint8_t, kSizeMax> data_{};  // unused bytes stay zero
  std::uint8_t size_ = 0;
};

/// Stable across runs and machines, so that no order leaks into the world.
struct PeerIdHash {
  std::size_t operator()(const PeerId& id) const noexcept;
};

}  // namespace p2pa
