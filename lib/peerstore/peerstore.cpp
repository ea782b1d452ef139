#include "peerstore/peerstore.hpp"

#include <algorithm>
#include <utility>

namespace p2pa::peerstore {

Peerstore::Record& Peerstore::touch(const PeerId& peer) {
  auto it = peers_.find(peer);
  if (it == peers_.end()) {
    if (peers_.size() >= kPeersMax) {
      peers_.erase(age_.front());
      age_.pop_front();
    }
    it = peers_.try_emplace(peer).first;
    it->second.age = age_.insert(age_.end(), peer);
  } else {
    age_.splice(age_.end(), age_, it->second.age);
  }
  return it->second;
}

void Peerstore::add_address(const PeerId& peer, const Multiaddr& address, Source source) {
  auto& addresses = touch(peer).addresses;
  Address entry{address.without_peer_id(), source};
  const auto same = std::ranges::find(addresses, entry.address, &Address::address);
  if (same != addresses.end()) {
    if (source == Source::kHost) same->source = source;
    return;
  }
  if (addresses.size() >= kAddressesPerPeerMax) {
    // A peer's claims never push out what the host said.
    const auto oldest = std::ranges::find(addresses, Source::kPeer, &Address::source);
    if (oldest != addresses.end()) {
      addresses.erase(oldest);
    } else if (source == Source::kPeer) {
      return;
    } else {
      addresses.erase(addresses.begin());
    }
  }
  addresses.push_back(std::move(entry));
}

std::vector<Multiaddr> Peerstore::addresses(const PeerId& peer) const {
  std::vector<Multiaddr> out;
  const auto it = peers_.find(peer);
  if (it == peers_.end()) return out;
  for (const Source wanted : {Source::kHost, Source::kPeer}) {
    for (const Address& a : it->second.addresses) {
      if (a.source == wanted) out.push_back(a.address);
    }
  }
  return out;
}

void Peerstore::mark_good(const PeerId& peer, const Multiaddr& address) {
  const Multiaddr bare = address.without_peer_id();
  auto& addresses = touch(peer).addresses;
  const auto it = std::ranges::find(addresses, bare, &Address::address);
  if (it != addresses.end()) {
    std::rotate(addresses.begin(), it, it + 1);
  } else {
    add_address(peer, bare, Source::kPeer);
  }
}

void Peerstore::set_info(PeerInfo info) {
  const PeerId peer = info.peer;
  touch(peer).info = std::move(info);
}

const PeerInfo* Peerstore::info(const PeerId& peer) const {
  const auto it = peers_.find(peer);
  return it == peers_.end() || !it->second.info ? nullptr : &*it->second.info;
}

}  // namespace p2pa::peerstore
