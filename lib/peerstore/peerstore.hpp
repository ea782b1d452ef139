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
/// Of addresses and of what identify told. Without it a few thousand invented peers could hold a gigabyte.
inline constexpr std::size_t kBytesMax = std::size_t{32} << 20;

/// When full, the peer that was touched longest ago is forgotten, strangers before those that the host gave
/// an address of: inventing peers is cheap, and must not make us forget where we wanted to go. Addresses of
/// one peer: the newest kAddressesPerPeerMax; the one that worked last is first, and those that the host gave
/// stay in front of those that the peer claimed.
class Peerstore {
 public:
  enum class Source : std::uint8_t { kHost, kPeer };

  /// The address is kept without its /p2p/<id>.
  void add_address(const PeerId& peer, const Multiaddr& address, Source source);
  /// Best first.
  std::vector<Multiaddr> addresses(const PeerId& peer) const;
  /// Is it an address that the host gave?
  bool from_host(const PeerId& peer, const Multiaddr& address) const;
  /// The one that worked last.
  std::optional<Multiaddr> worked_last(const PeerId& peer) const;
  /// It worked: tried first next time.
  void mark_good(const PeerId& peer, const Multiaddr& address);

  /// Replaces what identify told before.
  void set_info(PeerInfo info);
  const PeerInfo* info(const PeerId& peer) const;
  std::size_t size() const { return peers_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Address {
    Multiaddr address;
    Source source;
    bool worked_last = false;
  };
  struct Record {
    std::vector<Address> addresses;
    std::optional<PeerInfo> info;
    std::size_t bytes = 0;
    bool stranger = true;
    std::list<PeerId>::iterator age;  // position in strangers_ or in known_
  };
  Record& touch(const PeerId& peer);
  void recount(const PeerId& peer, Record& record);
  void forget_oldest_but(const PeerId& peer);

  std::unordered_map<PeerId, Record, PeerIdHash> peers_;
  std::list<PeerId> strangers_, known_;  // oldest first
  std::size_t bytes_ = 0;
};

}  // namespace p2pa::peerstore
