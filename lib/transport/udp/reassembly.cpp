#include "transport/udp/reassembly.hpp"

#include <algorithm>

namespace p2pa::udp {

void Reassembly::skip_to(std::uint64_t next) {
  present_.remove({next_, next});
  next_ = next;
  blocks_.erase(blocks_.begin(), blocks_.lower_bound(present_.empty() ? UINT64_MAX : next / kBlockSize));
}

bool Reassembly::keep(std::uint64_t offset, ByteView bytes) {
  if (offset < next_) {
    bytes = bytes.subspan(std::min<std::uint64_t>(bytes.size(), next_ - offset));
    offset = next_;
  }
  if (bytes.empty()) return true;
  if (present_.count() >= kGapsMax) return false;
  present_.add({offset, offset + bytes.size()});
  while (!bytes.empty()) {
    auto& block = blocks_[offset / kBlockSize];
    if (!block) block = std::make_unique_for_overwrite<Block>();
    const std::size_t at = offset % kBlockSize;
    const std::size_t n = std::min(bytes.size(), kBlockSize - at);
    std::copy_n(bytes.begin(), n, block->begin() + static_cast<std::ptrdiff_t>(at));
    offset += n;
    bytes = bytes.subspan(n);
  }
  return true;
}

ByteView Reassembly::front() const {
  if (present_.empty() || present_.front().begin > next_) return {};
  const std::size_t at = next_ % kBlockSize;
  const std::size_t n = std::min<std::uint64_t>(present_.front().end - next_, kBlockSize - at);
  return ByteView(*blocks_.at(next_ / kBlockSize)).subspan(at, n);
}

void Reassembly::clear() {
  present_.clear();
  blocks_.clear();
}

}  // namespace p2pa::udp
