#pragma once
// Payload waits in chunks of one size, so that steady traffic never meets the heap.

#include <cstddef>
#include <cstdint>

#include "p2pagents/bytes.hpp"

namespace p2pa::mux {

/// A link of a buffer: bytes [begin, end) are filled. Addresses stay put while it is in use.
struct Chunk {
  static constexpr std::size_t kSize = 4096;                        ///< with this header
  static constexpr std::size_t kCapacity = kSize - 2 * sizeof(void*);

  Chunk* next;
  std::uint32_t begin, end;
  std::uint8_t data[kCapacity];

  ByteView filled() const { return {data + begin, end - begin}; }
  std::size_t room() const { return kCapacity - end; }
};
static_assert(sizeof(Chunk) == Chunk::kSize);

/// Lends chunks and keeps up to kSpareMax of those given back. Outlives every buffer that uses it.
class ChunkPool final {
 public:
  static constexpr std::size_t kSpareMax = 1024;

  ChunkPool() = default;
  ~ChunkPool();
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;

  /// An empty chunk, linked to nothing.
  Chunk* take();
  void give_back(Chunk* chunk) noexcept;

  std::size_t lent() const { return lent_; }
  std::size_t spare() const { return spare_count_; }

 private:
  Chunk* spare_ = nullptr;
  std::size_t spare_count_ = 0, lent_ = 0;
};

}  // namespace p2pa::mux
