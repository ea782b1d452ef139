#pragma once
#include <cstdint>
#include <vector>

namespace p2pa::sim {

/// Packets on their way, by number; their buffers are used again.
template <class Packet>
class PacketPool final {
 public:
  std::uint32_t take() {
    if (free_.empty()) {
      packets_.emplace_back();
      return static_cast<std::uint32_t>(packets_.size() - 1);
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    return slot;
  }
  void give_back(std::uint32_t slot) { free_.push_back(slot); }
  /// Valid until the next take().
  Packet& operator[](std::uint32_t slot) { return packets_[slot]; }

 private:
  std::vector<Packet> packets_;
  std::vector<std::uint32_t> free_;
};

}  // namespace p2pa::sim
