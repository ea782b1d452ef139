#include "transport/quic/outbox.hpp"

#include <algorithm>

namespace p2pa::quic {

bool Outbox::push(const Transmit& to, ByteView bytes) {
  if (waiting_.size() == kDatagramsMax) return false;
  waiting_.push_back({to, Bytes(bytes.begin(), bytes.end())});
  waiting_.back().to.size = waiting_.back().to.segment_size = bytes.size();
  return true;
}

bool Outbox::pop(MutableBytes buffer, Transmit& out) {
  if (waiting_.empty()) return false;
  const Datagram& datagram = waiting_.front();
  std::ranges::copy(datagram.bytes, buffer.begin());
  out = datagram.to;
  waiting_.pop_front();
  return true;
}

}  // namespace p2pa::quic
