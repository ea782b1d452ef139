#include "peerstore/peerstore.hpp"

#include <algorithm>
#include <utility>

namespace p2pa::peerstore {

namespace {

std::size_t size_of(const PeerInfo& info) {
  std::size_t bytes = sizeof info + info.agent_version.size() + info.protocol_version.size();
  for (const std::string& protocol : info.protocols) bytes += sizeof(std::string) + protocol.size();
  for (const Multiaddr& address : info.listen_addresses) bytes += sizeof address + address.bytes().size();
  return bytes;
}

}  // namespace

Peerstore::Record& Peerstore::touch(const PeerId& peer) {
  auto it = peers_.find(peer);
  if (it == peers_.end()) {
    if (peers_.size() >= kPeersMax) forget_oldest_but(peer);
    it = peers_.try_emplace(peer).first;
    it->second.age = strangers_.insert(strangers_.end(), peer);
  } else {
    auto& list = it->second.stranger ? strangers_ : known_;
    list.splice(list.end(), list, it->second.age);
  }
  return it->second;
}

void Peerstore::forget_oldest_but(const PeerId& peer) {
  const bool others = !strangers_.empty() && strangers_.front() != peer;
  auto& list = others ? strangers_ : known_;
  const auto oldest = peers_.find(list.front());
  bytes_ -= oldest->second.bytes;
  peers_.erase(oldest);
  list.pop_front();
}

void Peerstore::recount(const PeerId& peer, Record& record) {
  bytes_ -= record.bytes;
  record.bytes = record.info ? size_of(*record.info) : 0;
  for (const Address& a : record.addresses) record.bytes += sizeof a + a.address.bytes().size();
  bytes_ += record.bytes;
  while (bytes_ > kBytesMax && peers_.size() > 1) forget_oldest_but(peer);
}

void Peerstore::add_address(const PeerId& peer, const Multiaddr& address, Source source) {
  Record& record = touch(peer);
  if (source == Source::kHost && std::exchange(record.stranger, false)) {
    known_.splice(known_.end(), strangers_, record.age);
  }
  auto& addresses = record.addresses;
  Address entry{address.without_peer_id(), source};
  const auto same = std::ranges::find(addresses, entry.address, &Address::address);
  if (same != addresses.end()) {
    if (source == Source::kHost) same->source = source;
    return;
  }
  if (addresses.size() >= kAddressesPerPeerMax) {
    // A peer's claims never push out what the host said, and nothing pushes out what works.
    const auto claim = std::ranges::find_if(
        addresses, [](const Address& a) { return a.source == Source::kPeer && !a.worked_last; });
    if (claim == addresses.end() && source == Source::kPeer) return;
    addresses.erase(claim != addresses.end() ? claim
                                             : std::ranges::find(addresses, false, &Address::worked_last));
  }
  addresses.push_back(std::move(entry));
  recount(peer, record);
}

std::vector<Multiaddr> Peerstore::addresses(const PeerId& peer) const {
  std::vector<Multiaddr> out;
  const auto it = peers_.find(peer);
  if (it == peers_.end()) return out;
  const auto take = [&](auto&& wanted) {
    for (const Address& a : it->second.addresses) {
      if (wanted(a)) out.push_back(a.address);
    }
  };
  take([](const Address& a) { return a.worked_last; });
  take([](const Address& a) { return !a.worked_last && a.source == Source::kHost; });
  take([](const Address& a) { return !a.worked_last && a.source == Source::kPeer; });
  return out;
}

bool Peerstore::from_host(const PeerId& peer, const Multiaddr& address) const {
  const auto it = peers_.find(peer);
  if (it == peers_.end()) return false;
  const auto entry = std::ranges::find(it->second.addresses, address.without_peer_id(), &Address::address);
  return entry != it->second.addresses.end() && entry->source == Source::kHost;
}

std::optional<Multiaddr> Peerstore::worked_last(const PeerId& peer) const {
  const auto it = peers_.find(peer);
  if (it == peers_.end()) return std::nullopt;
  const auto address = std::ranges::find(it->second.addresses, true, &Address::worked_last);
  if (address == it->second.addresses.end()) return std::nullopt;
  return address->address;
}

void Peerstore::mark_good(const PeerId& peer, const Multiaddr& address) {
  const Multiaddr bare = address.without_peer_id();
  add_address(peer, bare, Source::kPeer);
  for (Address& a : touch(peer).addresses) a.worked_last = a.address == bare;
}

void Peerstore::set_info(PeerInfo info) {
  const PeerId peer = info.peer;
  Record& record = touch(peer);
  record.info = std::move(info);
  recount(peer, record);
}

const PeerInfo* Peerstore::info(const PeerId& peer) const {
  const auto it = peers_.find(peer);
  return it == peers_.end() || !it->second.info ? nullptr : &*it->second.info;
}

}  // namespace p2pa::peerstore
