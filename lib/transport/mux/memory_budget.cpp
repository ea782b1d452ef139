#include "transport/mux/memory_budget.hpp"

#include <utility>

namespace p2pa::mux {

Result<void> MemoryBudget::take(std::size_t bytes) {
  while (used_ + bytes > steps_.size() * kStep) {
    auto step = resources_.memory(peer_, kStep);
    if (!step) return std::unexpected(step.error());
    steps_.push_back(std::move(*step));
  }
  used_ += bytes;
  return {};
}

void MemoryBudget::give_back(std::size_t bytes) noexcept {
  used_ -= bytes;
  while (used_ + kSpareMax <= steps_.size() * kStep) steps_.pop_back();  // one stays, against flutter
}

void MemoryBudget::trim() noexcept {
  if (used_ == 0) steps_.clear();
}

}  // namespace p2pa::mux
