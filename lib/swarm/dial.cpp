#include "swarm/dial.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.hpp"

namespace p2pa::swarm {
namespace {

/// IPv6 and IPv4 in turns, each family in its given order.
void append_in_turns(std::vector<Multiaddr> addresses, std::vector<Multiaddr>& out) {
  std::vector<Multiaddr> v6, rest;
  for (Multiaddr& a : addresses) {
    (a.has(Multiaddr::Protocol::kIp6) ? v6 : rest).push_back(std::move(a));
  }
  for (std::size_t i = 0; i < std::max(v6.size(), rest.size()); ++i) {
    if (i < v6.size()) out.push_back(std::move(v6[i]));
    if (i < rest.size()) out.push_back(std::move(rest[i]));
  }
}

/// QUIC before all others: it needs a round trip less.
std::vector<Multiaddr> ranked(std::vector<Multiaddr> addresses) {
  std::vector<Multiaddr> quic, rest, out;
  for (Multiaddr& a : addresses) {
    (a.has(Multiaddr::Protocol::kQuicV1) ? quic : rest).push_back(std::move(a));
  }
  append_in_turns(std::move(quic), out);
  append_in_turns(std::move(rest), out);
  if (out.size() > kDialAddressesMax) out.resize(kDialAddressesMax);
  return out;
}

}  // namespace

Dial::Dial(std::vector<Multiaddr> addresses, Instant now)
    : addresses_(ranked(std::move(addresses))), due_(now) {}

void Dial::add(const Multiaddr& address, Instant now) {
  const auto untried = addresses_.begin() + static_cast<std::ptrdiff_t>(next_);
  if (std::find(addresses_.begin(), untried, address) != untried) return;
  const auto known = std::find(untried, addresses_.end(), address);
  if (known != addresses_.end()) {
    std::rotate(untried, known, known + 1);
  } else {
    addresses_.insert(untried, address);
    if (addresses_.size() > kDialAddressesMax && next_ + 1 < addresses_.size()) addresses_.pop_back();
  }
  due_ = now;
}

void Dial::name_resolved(const std::vector<Multiaddr>& addresses, Instant now) {
  P2PA_ASSERT(names_ > 0);
  --names_;
  const auto tried = addresses_.begin() + static_cast<std::ptrdiff_t>(next_);
  std::vector<Multiaddr> untried(tried, addresses_.end());
  for (const Multiaddr& address : addresses) {
    if (std::ranges::find(addresses_, address) == addresses_.end()) untried.push_back(address);
  }
  addresses_.erase(tried, addresses_.end());
  std::ranges::move(ranked(std::move(untried)), std::back_inserter(addresses_));
  if (addresses_.size() > kDialAddressesMax) addresses_.resize(std::max(next_, kDialAddressesMax));
  if (in_flight_ == 0) due_ = now;
}

void Dial::name_failed(const Error& why) {
  P2PA_ASSERT(names_ > 0);
  --names_;
  failures_.push_back(why);
}

const Multiaddr* Dial::candidate(Instant now) const {
  const bool ready =
      next_ < addresses_.size() && in_flight_ < kDialsParallelMax && now >= due_;
  return ready ? &addresses_[next_] : nullptr;
}

void Dial::started(Instant now) {
  P2PA_ASSERT(next_ < addresses_.size());
  ++next_;
  ++in_flight_;
  due_ = now + kDialStagger;
}

void Dial::failed_to_start(Instant now, const Error& why) {
  P2PA_ASSERT(next_ < addresses_.size());
  ++next_;
  failures_.push_back(why);
  due_ = now;
}

void Dial::attempt_failed(Instant now, const Error& why) {
  P2PA_ASSERT(in_flight_ > 0);
  --in_flight_;
  failures_.push_back(why);
  due_ = now;
}

Instant Dial::next_deadline() const {
  return next_ < addresses_.size() && in_flight_ < kDialsParallelMax ? due_ : kNever;
}

Error Dial::error() const {
  P2PA_ASSERT(exhausted());
  if (failures_.empty()) return {Code::kNoAddress, 0, "no address of the peer is known"};
  const Code first = failures_.front().code;
  const auto same = [&](const Error& e) { return e.code == first; };
  const bool silent = first == Code::kTimeout || first == Code::kUnreachable;
  if (!silent && std::ranges::all_of(failures_, same)) return failures_.front();
  return {Code::kUnreachable, failures_.size(), "no address of the peer answered"};
}

}  // namespace p2pa::swarm
