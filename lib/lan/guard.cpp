#include "lan/guard.hpp"

#include <algorithm>
#include <tuple>

namespace p2pa::lan {
namespace {

/// All or none of them.
template <class... Buckets>
bool take_one(Instant now, Buckets&... buckets) {
  if (((buckets.level(now) < 1) || ...)) return false;
  (buckets.take(1, now), ...);
  return true;
}

}  // namespace

Guard::Guard(Instant now)
    : total_(kVerifyTotal, now),
      strangers_(kVerifyStrangers, now),
      answers_(kAnswerTotal, now),
      asked_(kAskTotal, now) {}

bool Guard::may_verify(Instant now, const IpAddress& ip) {
  Source& from = source(now, ip);
  if (from.proven) return take_one(now, from.bucket, total_);
  return take_one(now, from.bucket, strangers_, total_);
}

bool Guard::may_answer(Instant now, const IpAddress& ip) { return take_one(now, source(now, ip).bucket, answers_); }

bool Guard::may_ask(Instant now, const IpAddress& ip) { return take_one(now, source(now, ip).asked, asked_); }

void Guard::proven(Instant now, const IpAddress& ip) {
  Source& from = source(now, ip);
  if (from.proven) return;
  from.proven = true;
  from.bucket = shaping::TokenBucket(kVerifyProven, now);
}

Guard::Source& Guard::source(Instant now, const IpAddress& ip) {
  auto it = sources_.find(ip);
  if (it == sources_.end()) {
    if (sources_.size() == kSourcesMax) evict();
    it = sources_.try_emplace(ip, Source{{kVerifyStranger, now}, {kAskOne, now}, false, now}).first;
  }
  it->second.used = now;
  return it->second;
}

void Guard::evict() {
  sources_.erase(std::ranges::min_element(sources_, {}, [](const auto& entry) {
    return std::tuple(entry.second.proven, entry.second.used);
  }));
}

}  // namespace p2pa::lan
