#include "shaping/shaper.hpp"

#include <algorithm>
#include <limits>

#include "base/assert.hpp"
#include "base/hash.hpp"

namespace p2pa::shaping {

ProtocolKey key_of(std::string_view protocol) { return stable_hash(as_bytes(protocol)); }

Result<Scope> parse_scope(std::string_view text) {
  if (text.empty()) return Scope{};
  if (text.starts_with('/')) return Scope(key_of(text));
  if (auto peer = PeerId::parse(text)) return Scope(*peer);
  return fail(Code::kInvalidArgument, "a limit is the node's, a peer's, or a protocol's");
}

// --- limits

Result<void> Shaper::set(const Scope& scope, Direction direction, const RateLimit& limit) {
  if (auto fine = check_limit(limit); !fine) return fine;
  const std::vector<Claim*> claims = dismiss();
  Limits& limits = way(direction).limits;
  if (const auto it = limits.find(scope); it != limits.end()) {
    it->second.tokens.set_limit(limit, now_);
  } else {
    limits.emplace(scope, Bucket{TokenBucket(limit, now_)});
  }
  recall(claims);
  return {};
}

bool Shaper::clear(const Scope& scope, Direction direction) {
  const std::vector<Claim*> claims = dismiss();
  const bool had = way(direction).limits.erase(scope) > 0;
  recall(claims);
  return had;
}

std::optional<RateLimit> Shaper::limit(const Scope& scope, Direction direction) const {
  const Limits& limits = way(direction).limits;
  const auto it = limits.find(scope);
  return it == limits.end() ? std::nullopt : std::optional(it->second.tokens.limit());
}

std::vector<Claim*> Shaper::dismiss() {
  std::vector<Claim*> out;
  for (Way& way : ways_) {
    for (Line& line : way.lines) {
      while (line.first != nullptr) {
        out.push_back(line.first);
        leave(*line.first);
      }
    }
  }
  return out;
}

void Shaper::recall(const std::vector<Claim*>& claims) {
  ++epoch_;
  for (Claim* claim : claims) claim->owner_->on_tokens(*claim);
}

void Shaper::place(Claim& claim, const PeerId& peer, ProtocolKey protocol) {
  if (claim.epoch_ == epoch_) return;
  P2PA_ASSERT(!claim.waiting_);
  claim.epoch_ = epoch_;
  claim.buckets_count_ = 0;
  Limits& limits = way_of(claim).limits;
  for (const Scope& scope : {Scope{}, Scope{peer}, Scope{protocol}}) {
    const auto it = limits.find(scope);
    if (it != limits.end()) claim.buckets_[claim.buckets_count_++] = &it->second;
  }
}

// --- tokens

std::size_t Shaper::available(const Claim& claim, std::size_t wanted) const {
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  for (std::size_t i = 0; i < claim.buckets_count_; ++i) {
    const Bucket& bucket = *claim.buckets_[i];
    if (bucket.waiting > 0 && !claim.called_) return 0;
    const std::int64_t level = bucket.tokens.level(now_) - bucket.promised;
    if (level < static_cast<std::int64_t>(bucket.tokens.piece(wanted))) return 0;
    least = std::min(least, static_cast<std::uint64_t>(level));
  }
  return static_cast<std::size_t>(std::min<std::uint64_t>(least, wanted));
}

void Shaper::take(Claim& claim, std::size_t bytes) {
  claim.called_ = false;
  if (claim.buckets_count_ == 0) return;
  for (std::size_t i = 0; i < claim.buckets_count_; ++i) claim.buckets_[i]->tokens.take(bytes, now_);
  Way& way = way_of(claim);
  way.shares.served(claim.priority_, bytes, waiting_classes(way));
}

void Shaper::give_back(Claim& claim, std::size_t bytes) {
  if (claim.epoch_ != epoch_) return;
  for (std::size_t i = 0; i < claim.buckets_count_; ++i) claim.buckets_[i]->tokens.give_back(bytes, now_);
}

// --- who waits

void Shaper::wait(Claim& claim, std::size_t wanted) {
  claim.wanted_ = wanted;
  claim.called_ = false;
  if (!claim.waiting_) join(claim);
  due_ = waiting_ == 1 ? ready_at(claim) : std::min(due_, ready_at(claim));
}

void Shaper::cancel(Claim& claim) {
  claim.called_ = false;
  if (claim.waiting_) leave(claim);
}

void Shaper::set_priority(Claim& claim, Priority priority) {
  if (claim.priority_ == priority) return;
  const bool waited = claim.waiting_;
  if (waited) leave(claim);
  claim.priority_ = priority;
  if (waited) join(claim);
}

ClassSet Shaper::waiting_classes(const Way& way) {
  ClassSet out{};
  for (std::size_t i = 0; i < kClasses; ++i) out[i] = way.lines[i].first != nullptr;
  return out;
}

void Shaper::join(Claim& claim) {
  Line& line = way_of(claim).lines[index_of(claim.priority_)];
  claim.waiting_ = true;
  claim.next_ = nullptr;
  claim.previous_ = line.last;
  (line.last == nullptr ? line.first : line.last->next_) = &claim;
  line.last = &claim;
  ++waiting_;
  for (std::size_t i = 0; i < claim.buckets_count_; ++i) ++claim.buckets_[i]->waiting;
}

void Shaper::leave(Claim& claim) {
  Line& line = way_of(claim).lines[index_of(claim.priority_)];
  (claim.previous_ == nullptr ? line.first : claim.previous_->next_) = claim.next_;
  (claim.next_ == nullptr ? line.last : claim.next_->previous_) = claim.previous_;
  claim.next_ = claim.previous_ = nullptr;
  claim.waiting_ = false;
  --waiting_;
  for (std::size_t i = 0; i < claim.buckets_count_; ++i) --claim.buckets_[i]->waiting;
}

Instant Shaper::ready_at(const Claim& claim) const {
  Instant out = now_;
  for (std::size_t i = 0; i < claim.buckets_count_; ++i) {
    const Bucket& bucket = *claim.buckets_[i];
    const std::uint64_t piece = bucket.tokens.piece(claim.wanted_);
    out = std::max(out, bucket.tokens.ready_at(piece + static_cast<std::uint64_t>(bucket.promised), now_));
  }
  return out;
}

// --- whose turn it is

void Shaper::on_deadline(Instant now) {
  advance(now);
  due_ = kNever;
  for (Way& way : ways_) {
    for (std::size_t i = kClasses; i-- > 1;) {
      if (way.shares.owed(static_cast<Priority>(i))) call_owed(way.lines[i]);
    }
    for (Line& line : way.lines) call_ready(line);
  }
  for (Bucket* bucket : promised_) bucket->promised = 0;
  promised_.clear();
}

void Shaper::call_owed(Line& line) {
  Claim* const head = line.first;
  if (head == nullptr || call(*head)) return;
  // Next time another one is tried, should this one lack what only it needs.
  leave(*head);
  join(*head);
}

void Shaper::call_ready(Line& line) {
  for (Claim *claim = line.first, *next = nullptr; claim != nullptr; claim = next) {
    next = claim->next_;
    call(*claim);
  }
}

bool Shaper::call(Claim& claim) {
  claim.called_ = true;  // those before it were asked
  if (available(claim, claim.wanted_) == 0) {
    claim.called_ = false;
    const Instant ready = ready_at(claim);
    due_ = std::min(due_, ready);
    // Where it waits longest, who comes later and wants less does not take away what it waits for.
    for (std::size_t i = 0; i < claim.buckets_count_; ++i) {
      Bucket& bucket = *claim.buckets_[i];
      const std::uint64_t level = bucket.tokens.piece(claim.wanted_) + static_cast<std::uint64_t>(bucket.promised);
      if (bucket.tokens.ready_at(level, now_) == ready) promise(bucket, claim);
    }
    return false;
  }
  leave(claim);
  claim.owner_->on_tokens(claim);
  if (!claim.called_) return true;  // it took them at once
  for (std::size_t i = 0; i < claim.buckets_count_; ++i) promise(*claim.buckets_[i], claim);
  return true;
}

void Shaper::promise(Bucket& bucket, const Claim& claim) {
  if (bucket.promised == 0) promised_.push_back(&bucket);
  bucket.promised += static_cast<std::int64_t>(bucket.tokens.piece(claim.wanted_));
}

}  // namespace p2pa::shaping
