#pragma once
// What the buffers of one connection may hold, counted against the node's and the peer's bound.

#include <cstddef>
#include <vector>

#include "resource/manager.hpp"

namespace p2pa::mux {

/// Reserves in steps, so that a chunk costs an addition and not a look-up.
class MemoryBudget final {
 public:
  static constexpr std::size_t kStep = 64 * 1024;
  static constexpr std::size_t kSpareMax = 2 * kStep;  ///< spare() is less

  explicit MemoryBudget(resource::Manager& resources) : resources_(resources) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  /// Whom later reservations are charged to.
  void set_peer(const PeerId& peer) { peer_ = peer; }
  /// kLimitMemory, kLimitPeer: the bound is reached and nothing was taken; what there is left is in spare().
  Result<void> take(std::size_t bytes);
  void give_back(std::size_t bytes) noexcept;
  /// Lets go of what is kept against flutter.
  void trim() noexcept;
  std::size_t used() const { return used_; }
  /// What can be taken without a new reservation.
  std::size_t spare() const { return steps_.size() * kStep - used_; }
  /// What can be taken now.
  std::size_t available() const { return spare() + resources_.memory_free(peer_) / kStep * kStep; }
  /// What can be taken when nobody else uses any.
  std::size_t most() const { return resources_.memory_most() / kStep * kStep; }

 private:
  resource::Manager& resources_;
  PeerId peer_;
  std::size_t used_ = 0;
  std::vector<resource::Reservation> steps_;
};

}  // namespace p2pa::mux
