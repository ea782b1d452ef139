#pragma once
// Peer records (libp2p/specs RFC 0003): a peer's addresses, signed by itself.

#include <cstdint>
#include <vector>

#include "p2pagents/key_pair.hpp"
#include "p2pagents/multiaddr.hpp"
#include "p2pagents/peer_id.hpp"

namespace p2pa {

struct PeerRecord {
  /// More than any real peer has; a record with more is refused.
  static constexpr std::size_t kAddressesMax = 128;

  PeerId peer;
  std::uint64_t sequence = 0;  ///< of two records of one peer the higher counts
  std::vector<Multiaddr> addresses;

  /// PeerRecord protobuf, without a signature.
  Bytes encode() const;
  /// Addresses of protocols we do not know, or that are broken, are left out. kMalformed.
  static Result<PeerRecord> decode(ByteView protobuf);

  /// Signed, in the form that go, js, nim and py use. REQUIRES peer == key.peer_id().
  Bytes seal(const KeyPair& key) const;
  /// From an envelope in that form or in rust's older one. kPeerIdMismatch: the record speaks of
  /// another peer than the one that signed it. Other errors: see Envelope::open() and decode().
  static Result<PeerRecord> open(ByteView envelope);
  /// The same, and kPeerIdMismatch too when it is not about `sender`.
  static Result<PeerRecord> open_from(const PeerId& sender, ByteView envelope);

  friend bool operator==(const PeerRecord&, const PeerRecord&) = default;
};

}  // namespace p2pa
