#pragma once
// A packet as it is put together.

#include <algorithm>
#include <cstddef>
#include <vector>

#include "transport/udp/frame_codec.hpp"
#include "transport/udp/loss_recovery.hpp"

namespace p2pa::udp {

class PacketBuilder final {
 public:
  /// Frames go to `plain`, `bytes_max` at most; what to do about their loss to `sent`.
  PacketBuilder(Bytes& plain, std::size_t bytes_max, std::vector<SentFrame>& sent)
      : plain_(plain), bytes_max_(bytes_max), sent_(sent) {
    plain_.clear();
    sent_.clear();
  }
  PacketBuilder(const PacketBuilder&) = delete;
  PacketBuilder& operator=(const PacketBuilder&) = delete;

  std::size_t room() const { return bytes_max_ - std::min(bytes_max_, plain_.size()); }
  std::size_t capacity() const { return bytes_max_; }
  bool empty() const { return plain_.empty(); }
  bool eliciting() const { return eliciting_; }
  /// REQUIRES that there is room. What it carries is nobody's concern when it is lost.
  void add(const Frame& frame) {
    append(plain_, frame);
    eliciting_ = eliciting_ || ack_eliciting(frame);
  }
  void add(const Frame& frame, const SentFrame& memory) {
    add(frame);
    remember(memory);
  }
  /// What is to be remembered of something within the next frame.
  void remember(const SentFrame& memory) { sent_.push_back(memory); }
  /// Empty again. REQUIRES that nothing in it elicits an acknowledgement.
  void take_back() {
    plain_.clear();
    sent_.clear();
  }
  void pad_to(std::size_t bytes) {
    if (plain_.size() < bytes) plain_.resize(bytes);  // a frame of PADDING is a zero
  }

 private:
  Bytes& plain_;
  const std::size_t bytes_max_;
  std::vector<SentFrame>& sent_;
  bool eliciting_ = false;
};

}  // namespace p2pa::udp
