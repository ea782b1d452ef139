#include "transport/quic/lingering.hpp"

#include <bit>
#include <utility>

namespace p2pa::quic {

void Lingering::add(Instant now, Farewell farewell) {
  if (!farewell.packet.empty()) outbox_.push(farewell.to, farewell.packet);
  if (entries_.size() == kEntriesMax) drop_first();
  const std::uint64_t number = next_number_++;
  for (const Cid& cid : farewell.cids) by_cid_.insert_or_assign(cid, number);
  // Kept in order of arrival: none leaves before those ahead of it.
  Instant until = now + farewell.linger;
  if (!entries_.empty() && until < entries_.back().until) until = entries_.back().until;
  entries_.push_back({number, until, std::move(farewell)});
}

bool Lingering::handle(const Cid& cid, const InboundDatagram& datagram) {
  const auto it = by_cid_.find(cid);
  if (it == by_cid_.end()) return false;
  Entry& entry = entries_[it->second - entries_.front().number];
  const bool due = std::has_single_bit(++entry.heard);  // the 1st, 2nd, 4th, 8th, ...
  if (due && !entry.farewell.packet.empty() && datagram.remote == entry.farewell.to.remote) {
    outbox_.push(entry.farewell.to, entry.farewell.packet);
  }
  return true;
}

void Lingering::expire(Instant now) {
  while (!entries_.empty() && entries_.front().until <= now) drop_first();
}

void Lingering::drop_first() {
  const Entry& entry = entries_.front();
  for (const Cid& cid : entry.farewell.cids) {
    const auto it = by_cid_.find(cid);
    if (it != by_cid_.end() && it->second == entry.number) by_cid_.erase(it);
  }
  entries_.pop_front();
}

}  // namespace p2pa::quic
