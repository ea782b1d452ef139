#include "transport/mux/chunk_pool.hpp"

#include <memory>
#include <utility>

namespace p2pa::mux {

ChunkPool::~ChunkPool() {
  while (spare_ != nullptr) {
    const std::unique_ptr<Chunk> owned(std::exchange(spare_, spare_->next));
  }
}

Chunk* ChunkPool::take() {
  Chunk* chunk = spare_;
  if (chunk != nullptr) {
    spare_ = chunk->next;
    --spare_count_;
  } else {
    chunk = std::make_unique_for_overwrite<Chunk>().release();
  }
  ++lent_;
  chunk->next = nullptr;
  chunk->begin = chunk->end = 0;
  return chunk;
}

void ChunkPool::give_back(Chunk* chunk) noexcept {
  --lent_;
  if (spare_count_ == kSpareMax) {
    const std::unique_ptr<Chunk> owned(chunk);
    return;
  }
  chunk->next = spare_;
  spare_ = chunk;
  ++spare_count_;
}

}  // namespace p2pa::mux
