#pragma once
// Unreliable messages that wait, packed one behind the other.

#include <cstddef>

#include "transport/mux/chunk_pool.hpp"

namespace p2pa::mux {

/// First in, first out; what does not fit is not taken. A message never spans two chunks.
class DatagramQueue final {
 public:
  static constexpr std::size_t kMessageMax = Chunk::kCapacity - 2;

  explicit DatagramQueue(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  DatagramQueue(const DatagramQueue&) = delete;
  DatagramQueue& operator=(const DatagramQueue&) = delete;

  /// False: the bound is reached, or the message is larger than kMessageMax.
  bool push(ChunkPool& pool, ByteView message);
  bool empty() const { return count_ == 0; }
  std::size_t count() const { return count_; }
  /// REQUIRES not empty. Valid until pop().
  ByteView front() const;
  void pop(ChunkPool& pool);
  void clear(ChunkPool& pool);

 private:
  Chunk* head_ = nullptr;
  Chunk* tail_ = nullptr;
  std::size_t count_ = 0, chunks_ = 0;
  std::size_t bytes_max_;
};

}  // namespace p2pa::mux
