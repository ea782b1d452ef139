#pragma once
// Objects found by a handle that can go stale but never lie.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "base/assert.hpp"

namespace p2pa {

/// Owns values and names each by a 64-bit handle: slot number and generation. Handle 0 is nobody's. A
/// handle whose value was erased finds nothing, for ever: a slot that has used up its generations is
/// not used again. Pointers are good until the next insert. Visiting goes by slot number, so the order
/// depends on the operations alone.
template <class T>
class SlotMap {
 public:
  using Handle = std::uint64_t;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  template <class... Args>
  Handle emplace(Args&&... args) {
    if (free_ == kNone) {
      P2PA_ASSERT(slots_.size() < kNone);
      free_ = static_cast<std::uint32_t>(slots_.size());
      slots_.emplace_back();
    }
    const std::uint32_t index = free_;
    Slot& slot = slots_[index];
    slot.value.emplace(std::forward<Args>(args)...);  // may throw: nothing has changed yet
    free_ = slot.next_free;
    ++size_;
    return Handle{slot.generation} << 32 | index;
  }

  /// nullptr: stale, or never given out.
  T* find(Handle handle) {
    const auto index = static_cast<std::uint32_t>(handle);
    if (index >= slots_.size()) return nullptr;
    Slot& slot = slots_[index];
    return slot.value && slot.generation == handle >> 32 ? &*slot.value : nullptr;
  }
  const T* find(Handle handle) const { return const_cast<SlotMap*>(this)->find(handle); }

  /// Destroys the value; false when the handle finds nothing.
  bool erase(Handle handle) {
    if (find(handle) == nullptr) return false;
    release(static_cast<std::uint32_t>(handle));
    return true;
  }

  /// Moves the value out; empty when the handle finds nothing.
  std::optional<T> take(Handle handle) {
    T* value = find(handle);
    if (value == nullptr) return std::nullopt;
    std::optional<T> taken(std::move(*value));
    release(static_cast<std::uint32_t>(handle));
    return taken;
  }

  /// visit(handle, value) for each; it may erase the one it is given, and no other, and insert none.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      Slot& slot = slots_[i];
      if (slot.value) visit(Handle{slot.generation} << 32 | i, *slot.value);
    }
  }

 private:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  struct Slot {
    std::optional<T> value;
    std::uint32_t generation = 1;  // 0 again after the last: the slot is retired
    std::uint32_t next_free = kNone;
  };

  void release(std::uint32_t index) {
    // Out of the table before it is destroyed: a destructor may come back to this map.
    [[maybe_unused]] const std::optional<T> doomed(std::move(slots_[index].value));
    slots_[index].value.reset();
    --size_;
    if (++slots_[index].generation == 0) return;
    slots_[index].next_free = free_;
    free_ = index;
  }

  std::vector<Slot> slots_;
  std::uint32_t free_ = kNone;
  std::size_t size_ = 0;
};

}  // namespace p2pa
