#pragma once
// Transmits between the core that made them and the socket that takes them.

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "base/assert.hpp"
#include "io/udp_socket.hpp"

namespace p2pa::io {

/// Holds a batch for sendmmsg(), or what a full socket did not take. Small transmits gather; after
/// one of 64 KB it is full.
class Outbox final {
 public:
  /// What NodeCore::poll_transmit() must be lent.
  static constexpr std::size_t kTransmitBytesMax = 65'536;

  Outbox() : bytes_(std::make_unique_for_overwrite<std::uint8_t[]>(kBytes)) {}

  bool full() const {
    return end_ == waiting_.size() || kBytes - used_ < kTransmitBytesMax;
  }
  bool empty() const { return begin_ == end_; }

  /// Where the next transmit's bytes go. REQUIRES !full().
  MutableBytes space() { return {bytes_.get() + used_, kTransmitBytesMax}; }
  /// Takes what was just written to space().
  void add(const Transmit& transmit) {
    P2PA_ASSERT(transmit.size <= kTransmitBytesMax);
    waiting_[end_++] = {transmit, {bytes_.get() + used_, transmit.size}};
    used_ += transmit.size;
  }

  /// The oldest ones that leave by one socket.
  std::span<Outgoing> next_batch() {
    std::size_t end = begin_;
    while (end < end_ && waiting_[end].transmit.socket == waiting_[begin_].transmit.socket) ++end;
    return {waiting_.data() + begin_, end - begin_};
  }
  void remove(std::size_t count) {
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = used_ = 0;
  }

 private:
  static constexpr std::size_t kBytes = kTransmitBytesMax + 16 * 1500;

  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t used_ = 0;
  std::array<Outgoing, UdpSocket::kBatchMax> waiting_{};
  std::size_t begin_ = 0, end_ = 0;
};

}  // namespace p2pa::io
