#pragma once
// So many bytes a second, and so many at once: the meter of RateLimit.

#include <cstdint>

#include "p2pagents/error.hpp"
#include "p2pagents/shaping.hpp"
#include "p2pagents/time.hpp"

namespace p2pa::shaping {

/// kInvalidArgument: no bucket works so; the sentence names the field.
Result<void> check_limit(const RateLimit& limit);

/// Counts to the billionth of a byte, so that no rate is rounded however often it is asked. REQUIRES that time
/// does not run backwards.
class TokenBucket final {
 public:
  /// What is moved in one piece when there is more to move: neither so little that it is all headers, nor so
  /// much that others wait long.
  static constexpr std::uint64_t kPieceBytesMin = 1024, kPieceBytesMax = 16 * 1024;

  /// Full. REQUIRES check_limit().
  TokenBucket(const RateLimit& limit, Instant now);

  const RateLimit& limit() const { return limit_; }
  /// Keeps what is in it, as far as the new one holds it. REQUIRES check_limit().
  void set_limit(const RateLimit& limit, Instant now);
  /// Whole bytes that may go; negative: so many went too early.
  std::int64_t level(Instant now) const;
  /// What went, also when there was less.
  void take(std::uint64_t bytes, Instant now);
  /// What was taken and did not go after all.
  void give_back(std::uint64_t bytes, Instant now);
  /// How much there must be before `wanted` bytes are begun with: a piece of them.
  std::uint64_t piece(std::uint64_t wanted) const { return wanted < piece_ ? wanted : piece_; }
  /// When level() is that. REQUIRES bytes <= piece(bytes).
  Instant ready_at(std::uint64_t bytes, Instant now) const;

 private:
  static constexpr std::int64_t kPerByte = 1'000'000'000;  // as many as a second has nanoseconds

  std::int64_t filled(Instant now) const;

  RateLimit limit_;
  std::uint64_t piece_ = 0;
  std::int64_t capacity_ = 0, level_ = 0;  // in billionths of a byte
  Instant at_;
};

}  // namespace p2pa::shaping
