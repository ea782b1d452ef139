#include "transport/mux/stream_table.hpp"

#include "base/assert.hpp"
#include "transport/mux/rate_gate.hpp"

namespace p2pa::mux {
namespace {

constexpr StreamId index_mask(int bits) { return (StreamId{1} << bits) - 1; }

}  // namespace

StreamState::StreamState() = default;
StreamState::~StreamState() = default;

StreamState& StreamTable::open() {
  if (free_ == nullptr) {
    const std::size_t base = blocks_.size() * kBlockSize;
    P2PA_ASSERT(base + kBlockSize <= index_mask(kIndexBits));
    blocks_.push_back(std::make_unique<StreamState[]>(kBlockSize));
    for (std::size_t i = kBlockSize; i-- > 0;) {
      StreamState& stream = blocks_.back()[i];
      stream.wire_id = static_cast<std::int64_t>(base + i);  // a free slot keeps its number here
      stream.next = free_;
      free_ = &stream;
    }
  }
  StreamState& stream = *free_;
  free_ = stream.next;
  stream.next = nullptr;
  stream.id = ++serial_ << kIndexBits | static_cast<StreamId>(stream.wire_id);
  stream.wire_id = -1;
  ++size_;
  return stream;
}

StreamState* StreamTable::find(StreamId id) const {
  const std::size_t index = id & index_mask(kIndexBits);
  if (id == 0 || index >= blocks_.size() * kBlockSize) return nullptr;
  StreamState& stream = blocks_[index / kBlockSize][index % kBlockSize];
  return stream.id == id ? &stream : nullptr;
}

void StreamTable::release(StreamState& stream) {
  P2PA_ASSERT(stream.send.chunks() == 0 && stream.receive.empty() && !stream.send_queued && !stream.shaped);
  const StreamId index = stream.id & index_mask(kIndexBits);
  std::destroy_at(&stream);
  std::construct_at(&stream);
  stream.wire_id = static_cast<std::int64_t>(index);
  stream.next = free_;
  free_ = &stream;
  if (--size_ == 0 && blocks_.size() > 1) {  // an idle connection keeps no table
    blocks_.clear();
    free_ = nullptr;
  }
}

}  // namespace p2pa::mux
