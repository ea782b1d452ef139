#include "transport/mux/send_buffer.hpp"

#include <algorithm>
#include <cstring>

#include "base/assert.hpp"

namespace p2pa::mux {

std::size_t SendBuffer::chunks_needed(std::size_t n) const {
  const std::size_t room = tail_ == nullptr ? 0 : tail_->room();
  return n <= room ? 0 : (n - room + Chunk::kCapacity - 1) / Chunk::kCapacity;
}

std::size_t SendBuffer::room(std::size_t chunks) const {
  return (tail_ == nullptr ? 0 : tail_->room()) + chunks * Chunk::kCapacity;
}

void SendBuffer::append(ChunkPool& pool, ByteView bytes) {
  while (!bytes.empty()) {
    if (tail_ == nullptr || tail_->room() == 0) {
      Chunk* chunk = pool.take();
      (tail_ == nullptr ? head_ : tail_->next) = chunk;
      tail_ = chunk;
      ++chunks_;
    }
    if (sending_ == nullptr) {
      sending_ = tail_;
      sending_at_ = tail_->end;
    }
    const std::size_t n = std::min(bytes.size(), tail_->room());
    std::memcpy(tail_->data + tail_->end, bytes.data(), n);
    tail_->end += static_cast<std::uint32_t>(n);
    end_ += n;
    bytes = bytes.subspan(n);
  }
}

std::size_t SendBuffer::unsent(std::span<ByteView> pieces) const {
  std::size_t count = 0;
  std::uint32_t at = sending_at_;
  for (const Chunk* c = sending_; c != nullptr && count < pieces.size(); c = c->next, at = 0) {
    if (at < c->end) pieces[count++] = {c->data + at, c->end - at};
  }
  return count;
}

void SendBuffer::mark_sent(std::size_t n) {
  P2PA_ASSERT(n <= unsent_size());
  sent_ += n;
  while (n > 0) {
    const std::size_t here = std::min<std::size_t>(n, sending_->end - sending_at_);
    sending_at_ += static_cast<std::uint32_t>(here);
    n -= here;
    if (sending_at_ == sending_->end && sending_->next != nullptr) {
      sending_ = sending_->next;
      sending_at_ = 0;
    }
  }
  if (sent_ == end_) sending_ = nullptr;
}

ByteView SendBuffer::sent_piece(std::uint64_t offset, std::size_t most) const {
  P2PA_ASSERT(begin_ <= offset && offset < sent_ && most > 0);
  const Chunk* chunk = head_;
  std::uint64_t at = offset - begin_;
  for (; at >= chunk->filled().size(); chunk = chunk->next) at -= chunk->filled().size();
  const ByteView rest = chunk->filled().subspan(at);
  return rest.first(std::min<std::uint64_t>({rest.size(), most, sent_ - offset}));
}

std::size_t SendBuffer::acknowledge(ChunkPool& pool, std::uint64_t offset) {
  P2PA_ASSERT(offset <= sent_);
  std::size_t freed = 0;
  while (begin_ < offset) {
    const std::size_t n = std::min<std::uint64_t>(offset - begin_, head_->end - head_->begin);
    head_->begin += static_cast<std::uint32_t>(n);
    begin_ += n;
    if (head_->begin < head_->end) break;
    Chunk* next = head_->next;
    pool.give_back(head_);
    ++freed;
    --chunks_;
    head_ = next;
    if (head_ == nullptr) tail_ = nullptr;
  }
  return freed;
}

bool SendBuffer::rewind() {
  if (begin_ != 0) return false;
  sent_ = 0;
  sending_ = head_;
  sending_at_ = 0;
  return true;
}

std::size_t SendBuffer::drop_unsent(ChunkPool& pool) {
  if (sending_ == nullptr) return 0;
  if (begin_ == sent_) return clear(pool);
  std::size_t freed = 0;
  sending_->end = sending_at_;
  for (Chunk* c = sending_->next; c != nullptr; ++freed) {
    Chunk* next = c->next;
    pool.give_back(c);
    c = next;
  }
  sending_->next = nullptr;
  tail_ = sending_;
  sending_ = nullptr;
  chunks_ -= static_cast<std::uint32_t>(freed);
  end_ = sent_;
  return freed;
}

std::size_t SendBuffer::clear(ChunkPool& pool) {
  const std::size_t freed = chunks_;
  while (head_ != nullptr) {
    Chunk* next = head_->next;
    pool.give_back(head_);
    head_ = next;
  }
  tail_ = sending_ = nullptr;
  chunks_ = 0;
  begin_ = sent_ = end_;
  return freed;
}

}  // namespace p2pa::mux
