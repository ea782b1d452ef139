#include "transport/mux/datagram_queue.hpp"

#include <cstring>

namespace p2pa::mux {

bool DatagramQueue::push(ChunkPool& pool, ByteView message) {
  if (message.size() > kMessageMax) return false;
  if (tail_ == nullptr || tail_->room() < message.size() + 2) {
    if ((chunks_ + 1) * Chunk::kSize > bytes_max_) return false;
    Chunk* chunk = pool.take();
    (tail_ == nullptr ? head_ : tail_->next) = chunk;
    tail_ = chunk;
    ++chunks_;
  }
  tail_->data[tail_->end] = static_cast<std::uint8_t>(message.size() >> 8);
  tail_->data[tail_->end + 1] = static_cast<std::uint8_t>(message.size());
  if (!message.empty()) std::memcpy(tail_->data + tail_->end + 2, message.data(), message.size());
  tail_->end += static_cast<std::uint32_t>(message.size() + 2);
  ++count_;
  return true;
}

ByteView DatagramQueue::front() const {
  const std::uint8_t* at = head_->data + head_->begin;
  return {at + 2, static_cast<std::size_t>(at[0]) << 8 | at[1]};
}

void DatagramQueue::pop(ChunkPool& pool) {
  head_->begin += static_cast<std::uint32_t>(front().size() + 2);
  --count_;
  if (head_->begin < head_->end) return;
  Chunk* next = head_->next;
  pool.give_back(head_);
  --chunks_;
  head_ = next;
  if (head_ == nullptr) tail_ = nullptr;
}

void DatagramQueue::clear(ChunkPool& pool) {
  while (!empty()) pop(pool);
}

}  // namespace p2pa::mux
