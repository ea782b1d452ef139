#pragma once
// Which class is next where they share something: the most urgent, and each of the others at times.

#include <array>
#include <cstddef>
#include <cstdint>

#include "p2pagents/shaping.hpp"

namespace p2pa::shaping {

inline constexpr std::size_t kClasses = 3;
using ClassSet = std::array<bool, kClasses>;  ///< by Priority

constexpr std::size_t index_of(Priority priority) { return static_cast<std::size_t>(priority); }

/// A deficit counter for each class: while it waits, it gains what more urgent ones are served, and when that
/// is kShare pieces, a piece is its own.
class ClassShares final {
 public:
  static constexpr std::uint64_t kShare = 8;  ///< who waits gets one byte in so many at least
  static constexpr std::uint64_t kPieceBytes = 16 * 1024;

  /// Has the class waited long enough to be served before more urgent ones?
  bool owed(Priority priority) const { return owed_[index_of(priority)] >= (kShare - 1) * kPieceBytes; }
  /// REQUIRES that one waits.
  Priority next(const ClassSet& waiting) const;
  /// `waiting`: who else has something.
  void served(Priority priority, std::uint64_t bytes, const ClassSet& waiting);

 private:
  std::array<std::uint64_t, kClasses> owed_{};  // bytes that more urgent ones were served meanwhile
};

}  // namespace p2pa::shaping
