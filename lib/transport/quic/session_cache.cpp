#include "transport/quic/session_cache.hpp"

#include <utility>

namespace p2pa::quic {

void SessionCache::put(const PeerId& peer, StoredSession session) {
  forget(peer);
  if (session.ticket.size() + session.parameters.size() + session.certificate.size() > kSessionBytesMax) {
    return;
  }
  if (index_.size() == kPeersMax) forget(PeerId(entries_.back().peer));
  entries_.push_front({peer, std::move(session)});
  index_.emplace(peer, entries_.begin());
}

const StoredSession* SessionCache::find(const PeerId& peer, Instant now) {
  const auto it = index_.find(peer);
  if (it == index_.end()) return nullptr;
  if (it->second->session.until <= now) {
    forget(peer);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, it->second);
  return &it->second->session;
}

void SessionCache::forget(const PeerId& peer) {
  const auto it = index_.find(peer);
  if (it == index_.end()) return;
  entries_.erase(it->second);
  index_.erase(it);
}

}  // namespace p2pa::quic
