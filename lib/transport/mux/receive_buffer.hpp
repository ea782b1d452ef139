#pragma once
// The bytes of a stream that arrived in order and were not consumed yet.

#include <cstddef>

#include "transport/mux/chunk_pool.hpp"

namespace p2pa::mux {

class ReceiveBuffer final {
 public:
  ReceiveBuffer() = default;
  ReceiveBuffer(const ReceiveBuffer&) = delete;
  ReceiveBuffer& operator=(const ReceiveBuffer&) = delete;

  /// How many more chunks append(n) would take from the pool.
  std::size_t chunks_needed(std::size_t n) const;
  void append(ChunkPool& pool, ByteView bytes);
  /// The contiguous bytes at the front; empty only when the buffer is.
  ByteView front() const { return head_ == nullptr ? ByteView{} : head_->filled(); }
  /// Drops n bytes, also across pieces. REQUIRES n <= size(). Says how many chunks went back.
  std::size_t consume(ChunkPool& pool, std::size_t n);
  std::size_t clear(ChunkPool& pool) { return consume(pool, size_); }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  Chunk* head_ = nullptr;
  Chunk* tail_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace p2pa::mux
