#include "transport/mux/receive_buffer.hpp"

#include <algorithm>
#include <cstring>

#include "base/assert.hpp"

namespace p2pa::mux {

std::size_t ReceiveBuffer::chunks_needed(std::size_t n) const {
  const std::size_t room = tail_ == nullptr ? 0 : tail_->room();
  return n <= room ? 0 : (n - room + Chunk::kCapacity - 1) / Chunk::kCapacity;
}

void ReceiveBuffer::append(ChunkPool& pool, ByteView bytes) {
  size_ += bytes.size();
  while (!bytes.empty()) {
    if (tail_ == nullptr || tail_->room() == 0) {
      Chunk* chunk = pool.take();
      (tail_ == nullptr ? head_ : tail_->next) = chunk;
      tail_ = chunk;
    }
    const std::size_t n = std::min(bytes.size(), tail_->room());
    std::memcpy(tail_->data + tail_->end, bytes.data(), n);
    tail_->end += static_cast<std::uint32_t>(n);
    bytes = bytes.subspan(n);
  }
}

std::size_t ReceiveBuffer::consume(ChunkPool& pool, std::size_t n) {
  P2PA_ASSERT(n <= size_);
  size_ -= n;
  std::size_t freed = 0;
  while (n > 0) {
    const std::size_t here = std::min<std::size_t>(n, head_->end - head_->begin);
    head_->begin += static_cast<std::uint32_t>(here);
    n -= here;
    if (head_->begin < head_->end) break;
    Chunk* next = head_->next;
    pool.give_back(head_);
    ++freed;
    head_ = next;
  }
  if (head_ == nullptr) tail_ = nullptr;
  return freed;
}

}  // namespace p2pa::mux
