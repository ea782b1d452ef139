#pragma once
// Failures on order: the n-th allocation, or the n-th inner entry, while armed.

#include <cstdint>

namespace p2pa::test {

enum class Fault : std::uint8_t {
  kAllocation,  ///< operator new throws std::bad_alloc
  kException,   ///< an inner entry throws something of its own
  kAssertion,   ///< an inner entry finds an invariant broken
};

/// From construction to destruction the n-th occasion (from 1) fails, on any thread.
class Armed final {
 public:
  Armed(Fault fault, std::uint64_t n) noexcept;
  ~Armed();
  Armed(const Armed&) = delete;
  Armed& operator=(const Armed&) = delete;
  /// Occasions so far.
  std::uint64_t used() const noexcept;
  /// Was there an n-th occasion?
  bool struck() const noexcept;
};

}  // namespace p2pa::test
