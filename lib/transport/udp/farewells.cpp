#include "transport/udp/farewells.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace p2pa::udp {

void Farewells::add(Instant now, Farewell farewell) {
  if (farewell.packet.empty()) return;
  if (entries_.size() == Endpoint::kFarewellsMax) forget(entries_.begin());
  by_cid_[farewell.cid] = next_;
  entries_.emplace(next_++, Entry{std::move(farewell), now});
}

bool Farewells::handle(Cid cid) {
  const auto it = by_cid_.find(cid);
  if (it == by_cid_.end()) return false;
  Entry& entry = entries_.at(it->second);
  if (std::has_single_bit(++entry.heard)) entry.due = true;  // the more often it asks, the rarer
  return true;
}

Instant Farewells::next_deadline() const {
  Instant next = kNever;
  for (const auto& [number, entry] : entries_) next = std::min(next, entry.at);
  return next;
}

void Farewells::on_deadline(Instant now) {
  for (auto it = entries_.begin(); it != entries_.end();) {
    Entry& entry = it->second;
    const auto current = it++;
    if (entry.due || entry.at > now) continue;
    if (entry.said >= kTimes) {
      forget(current);
    } else {
      entry.due = true;
    }
  }
}

bool Farewells::pop(MutableBytes buffer, Transmit& out) {
  for (auto& [number, entry] : entries_) {
    if (!std::exchange(entry.due, false)) continue;
    std::ranges::copy(entry.farewell.packet, buffer.begin());
    out = entry.farewell.to;
    out.size = out.segment_size = entry.farewell.packet.size();
    entry.at = entry.at + entry.farewell.pause * (std::int64_t{1} << std::min(entry.said, kTimes));
    ++entry.said;
    return true;
  }
  return false;
}

void Farewells::lose_socket(SocketId socket) {
  for (auto it = entries_.begin(); it != entries_.end();) {
    const auto current = it++;
    if (current->second.farewell.to.socket == socket) forget(current);
  }
}

void Farewells::forget(std::map<std::uint64_t, Entry>::iterator it) {
  by_cid_.erase(it->second.farewell.cid);
  entries_.erase(it);
}

}  // namespace p2pa::udp
