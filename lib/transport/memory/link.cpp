#include "transport/memory/link.hpp"

#include <algorithm>
#include <utility>

namespace p2pa::memory {

void Link::send_bytes(StreamId stream, ByteView bytes) {
  while (!bytes.empty()) {
    const bool joins = !fresh_.empty() && fresh_.back().kind == Item::Kind::kData &&
                       fresh_.back().stream == stream && fresh_.back().bytes.size() < segment_bytes_max_;
    if (!joins) fresh_.push_back({.kind = Item::Kind::kData, .stream = stream});
    Bytes& segment = fresh_.back().bytes;
    const std::size_t n = std::min(bytes.size(), segment_bytes_max_ - segment.size());
    segment.insert(segment.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
    bytes = bytes.subspan(n);
  }
}

void Link::send_credit(StreamId stream, std::size_t amount) {
  const bool joins = !fresh_.empty() && fresh_.back().kind == Item::Kind::kCredit &&
                     fresh_.back().stream == stream;
  if (!joins) fresh_.push_back({.kind = Item::Kind::kCredit, .stream = stream});
  fresh_.back().amount += amount;
}

void Link::depart(Instant now) {
  for (Item& item : fresh_) moving_.push_back({now + delay_, std::move(item)});
  fresh_.clear();
}

Instant Link::next_arrival() const {
  if (!fresh_.empty()) return Instant{};
  return moving_.empty() ? kNever : moving_.front().arrival;
}

bool Link::arrive(Instant now, Item& out) {
  if (moving_.empty() || moving_.front().arrival > now) return false;
  out = std::move(moving_.front().item);
  moving_.pop_front();
  return true;
}

}  // namespace p2pa::memory
