#include "shaping/token_bucket.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace p2pa::shaping {
namespace {

constexpr std::uint64_t kBurstBytesMin = 16 * 1024;
constexpr std::uint64_t kBurstsPerSecond = 20, kPiecesPerSecond = 100;

std::uint64_t burst_of(const RateLimit& limit) {
  if (limit.burst_bytes != 0) return limit.burst_bytes;
  return std::clamp(limit.bytes_per_second / kBurstsPerSecond, kBurstBytesMin, RateLimit::kBurstBytesMax);
}

}  // namespace

Result<void> check_limit(const RateLimit& limit) {
  if (limit.bytes_per_second == 0) return fail(Code::kInvalidArgument, "bytes_per_second is 0");
  if (limit.bytes_per_second > RateLimit::kBytesPerSecondMax) {
    return fail(Code::kInvalidArgument, "bytes_per_second is over 10^11", RateLimit::kBytesPerSecondMax);
  }
  if (limit.burst_bytes > RateLimit::kBurstBytesMax) {
    return fail(Code::kInvalidArgument, "burst_bytes is over 2^32", RateLimit::kBurstBytesMax);
  }
  return {};
}

TokenBucket::TokenBucket(const RateLimit& limit, Instant now) : at_(now) {
  set_limit(limit, now);
  level_ = capacity_;
}

void TokenBucket::set_limit(const RateLimit& limit, Instant now) {
  P2PA_ASSERT(check_limit(limit).has_value());
  const std::int64_t before = filled(now);
  at_ = now;
  limit_ = limit;
  const std::uint64_t burst = burst_of(limit);
  piece_ = std::min(burst, std::clamp(limit.bytes_per_second / kPiecesPerSecond, kPieceBytesMin, kPieceBytesMax));
  capacity_ = static_cast<std::int64_t>(burst) * kPerByte;
  level_ = std::min(before, capacity_);
}

std::int64_t TokenBucket::filled(Instant now) const {
  const auto rate = static_cast<std::int64_t>(limit_.bytes_per_second);
  const std::int64_t elapsed = (now - at_).ns, missing = capacity_ - level_;
  if (elapsed <= 0 || missing <= 0) return level_;
  return elapsed > missing / rate ? capacity_ : level_ + elapsed * rate;
}

std::int64_t TokenBucket::level(Instant now) const {
  const std::int64_t exact = filled(now);
  return (exact - (exact < 0 ? kPerByte - 1 : 0)) / kPerByte;
}

void TokenBucket::take(std::uint64_t bytes, Instant now) {
  constexpr auto kDebtMax = static_cast<std::int64_t>(RateLimit::kBurstBytesMax);
  const auto taken = static_cast<std::int64_t>(std::min(bytes, RateLimit::kBurstBytesMax));
  level_ = std::max(filled(now) - taken * kPerByte, -kDebtMax * kPerByte);
  at_ = now;
}

void TokenBucket::give_back(std::uint64_t bytes, Instant now) {
  const auto room = static_cast<std::int64_t>(std::min(bytes, RateLimit::kBurstBytesMax)) * kPerByte;
  level_ = std::min(filled(now) + room, capacity_);
  at_ = now;
}

Instant TokenBucket::ready_at(std::uint64_t bytes, Instant now) const {
  const std::int64_t missing = static_cast<std::int64_t>(bytes) * kPerByte - filled(now);
  if (missing <= 0) return now;
  const auto rate = static_cast<std::int64_t>(limit_.bytes_per_second);
  return now + Duration{missing / rate + (missing % rate != 0 ? 1 : 0)};
}

}  // namespace p2pa::shaping
