#include "swarm/dial.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/assert.hpp"

namespace p2pa::swarm {
namespace {

/// One error for many: theirs, when all are of one kind that says something about the peer. Where they only say that
/// nobody answers, what they say alike.
Error sum_up(const std::vector<Error>& errors, const char* differ) {
  const Code first = errors.front().code;
  const auto same = [&](const Error& e) { return e.code == first; };
  const bool silent = first == Code::kTimeout || first == Code::kUnreachable;
  if (!silent && std::ranges::all_of(errors, same)) return errors.front();
  const std::string_view said = errors.front().why;
  const bool alike = std::ranges::all_of(errors, [&](const Error& e) { return e.code == first && said == e.why; });
  return {Code::kUnreachable, errors.size(), alike ? errors.front().why : differ};
}

}  // namespace

Dial::Dial(std::vector<Multiaddr> addresses, Instant now)
    : addresses_(std::move(addresses)), stagger_(stagger(addresses_)), due_(now) {
  if (addresses_.size() > kDialAddressesMax) addresses_.resize(kDialAddressesMax);
}

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

void Dial::append(const Multiaddr& address) {
  const bool known = std::ranges::find(addresses_, address) != addresses_.end();
  if (!known && addresses_.size() < kDialAddressesMax) addresses_.push_back(address);
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
  stagger_ = stagger(untried);
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
  const bool direct = !relayed(addresses_[next_]);
  ++next_;
  ++in_flight_;
  const bool relay_follows = direct && next_ < addresses_.size() && relayed(addresses_[next_]);
  due_ = now + (relay_follows ? kRelayDelay : stagger_);
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

void Dial::start_again(const Multiaddr& address, Instant now) {
  const auto untried = addresses_.begin() + static_cast<std::ptrdiff_t>(next_);
  const auto started = std::find(addresses_.begin(), untried, address);
  P2PA_ASSERT(in_flight_ > 0 && started != untried);
  std::rotate(started, started + 1, untried);
  --next_;
  --in_flight_;
  due_ = now;
}

Instant Dial::next_deadline() const {
  return next_ < addresses_.size() && in_flight_ < kDialsParallelMax ? due_ : kNever;
}

Error Dial::error() const {
  P2PA_ASSERT(exhausted());
  if (!failures_.empty()) return sum_up(failures_, "no address of the peer answered");
  if (!skipped_.empty()) return sum_up(skipped_, "no address of the peer is worth a try now");
  return {Code::kNoAddress, 0, "no address of the peer is known"};
}

}  // namespace p2pa::swarm
