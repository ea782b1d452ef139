#pragma once
// The bytes of a stream that the peer has not acknowledged yet.

#include <cstddef>
#include <cstdint>
#include <span>

#include "transport/mux/chunk_pool.hpp"

namespace p2pa::mux {

/// A queue in three parts: acknowledged (gone), sent (kept at a fixed address, since the QUIC engine
/// keeps pointers for retransmission), and not sent. Offsets count from the stream's begin.
class SendBuffer final {
 public:
  SendBuffer() = default;
  SendBuffer(const SendBuffer&) = delete;
  SendBuffer& operator=(const SendBuffer&) = delete;

  /// How many more chunks append(n) would take from the pool.
  std::size_t chunks_needed(std::size_t n) const;
  /// How much append() can take with that many more chunks.
  std::size_t room(std::size_t chunks) const;
  /// Copies the bytes behind what is there.
  void append(ChunkPool& pool, ByteView bytes);
  /// The first unsent bytes as pieces; says how many pieces there are.
  std::size_t unsent(std::span<ByteView> pieces) const;
  void mark_sent(std::size_t n);
  /// Sent bytes from `offset` on that lie together, `most` at most. REQUIRES that they were sent and are not
  /// acknowledged, and most > 0.
  ByteView sent_piece(std::uint64_t offset, std::size_t most) const;
  /// Everything below `offset` arrived. Says how many chunks went back to the pool.
  std::size_t acknowledge(ChunkPool& pool, std::uint64_t offset);
  /// Everything is unsent again. False: some of it was acknowledged, and nothing changed.
  bool rewind();
  /// Forgets what was not sent. Says how many chunks went back to the pool.
  std::size_t drop_unsent(ChunkPool& pool);
  /// Drops everything. Says how many chunks went back to the pool.
  std::size_t clear(ChunkPool& pool);

  std::size_t size() const { return static_cast<std::size_t>(end_ - begin_); }
  std::size_t unsent_size() const { return static_cast<std::size_t>(end_ - sent_); }
  std::uint64_t sent_end() const { return sent_; }  ///< the offset of the first byte that was not sent
  std::size_t chunks() const { return chunks_; }

 private:
  Chunk* head_ = nullptr;         // holds offset begin_
  Chunk* tail_ = nullptr;
  Chunk* sending_ = nullptr;      // holds offset sent_; null when nothing is unsent
  std::uint32_t sending_at_ = 0;  // index in sending_->data
  std::uint32_t chunks_ = 0;
  std::uint64_t begin_ = 0, sent_ = 0, end_ = 0;
};

}  // namespace p2pa::mux
