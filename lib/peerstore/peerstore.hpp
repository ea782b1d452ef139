#pragma once
// What is known of peers: where they may be found, and what identify told us. In memory, bounded.

#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>
#include <vector>

#include "p2pagents/multiaddr.hpp"
#include "p2pagents/node.hpp"
#include "p2pagents/peer_id.hpp"

namespace p2pa::peerstore {

inline constexpr std::size_t kPeersMax = 8192;
inline constexpr std::size_t kAddressesPerPeerMax = 32;

/// When full, the peer that was touched longest ago is forgotten. Addresses of one peer: the newest
/// kAddressesPerPeerMax; those that the host gave stay in front of those that the peer claimed.
class Peerstore {
 public:
  enum class Source : std::uint8_t { kHost, kPeer };

  /// The address is kept without its /p2p/<id>.
  void add_address(const PeerId& peer, const Multiaddr& address, Source source);
  /// Best first.
  std::vector<Multiaddr> addresses(const PeerId& peer) const;
  /// It worked: tried first next time.
  void mark_good(const PeerId& peer, const Multiaddr& address);

  /// Replaces what identify told before.
  void set_info(PeerInfo info);
  const PeerInfo* info(const PeerId& peer) const;
  std::size_t size() const { return peers_.size(); }

 private:
  struct Address {
    Multiaddr address;
    Source source;
  };
  struct Record {
    std::vector<Address> addresses;
    std::optional<PeerInfo> info;
    std::list<PeerId>::iterator age;  // position in age_
  };
  Record& touch(const PeerId& peer);

  std::unordered_map<PeerId, Record, PeerIdHash> peers_;
  std::list<PeerId> age_;  // oldest first
};

}  // namespace p2pa::peerstore
