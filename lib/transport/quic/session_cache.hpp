#pragma once
// What a client remembers of a peer, to resume and to send before the handshake is over.

#include <cstddef>
#include <list>
#include <unordered_map>

#include "p2pagents/bytes.hpp"
#include "p2pagents/peer_id.hpp"
#include "p2pagents/time.hpp"

namespace p2pa::quic {

struct StoredSession {
  Bytes ticket;       ///< TLS session data, opaque
  Bytes parameters;   ///< the peer's transport parameters (RFC 9000 §7.4.1)
  Bytes certificate;  ///< DER; TLS does not send it again, so it is verified again from here
  Instant until = kNever;  ///< what its server said, in our time
};

/// The newest session of each peer; of the peers, those used last.
class SessionCache final {
 public:
  static constexpr std::size_t kPeersMax = 256;
  static constexpr std::size_t kSessionBytesMax = 16 * 1024;

  /// Replaces what was there. A session over kSessionBytesMax is not kept.
  void put(const PeerId& peer, StoredSession session);
  /// Null when there is none whose time is not over. Valid until the next put(), find() or forget().
  /// Counts as a use.
  const StoredSession* find(const PeerId& peer, Instant now);
  void forget(const PeerId& peer);
  std::size_t size() const { return index_.size(); }

 private:
  struct Entry {
    PeerId peer;
    StoredSession session;
  };
  std::list<Entry> entries_;  // the most recently used first
  std::unordered_map<PeerId, std::list<Entry>::iterator, PeerIdHash> index_;
};

}  // namespace p2pa::quic
