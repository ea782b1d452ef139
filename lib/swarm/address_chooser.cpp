#include "swarm/address_chooser.hpp"

#include <algorithm>
#include <iterator>

#include "swarm/dial.hpp"

namespace p2pa::swarm {
namespace {

constexpr Error kBlackHole{Code::kUnreachable, 0, "nothing of this kind (UDP, IPv6) gets through from here"};
constexpr Error kPrivate{Code::kNoAddress, 0, "a private address of another network"};
constexpr Error kTooMany{Code::kRateLimited, kDialAddressesMax, "the peer has too many addresses"};

bool listed(const std::vector<Multiaddr>& list, const Multiaddr& address) {
  return std::ranges::find(list, address) != list.end();
}

/// It may be in the list already.
void put_first(std::vector<Multiaddr>& addresses, const Multiaddr& address) {
  std::erase(addresses, address);
  addresses.insert(addresses.begin(), address);
}

}  // namespace

std::optional<AddressChooser::Choice> AddressChooser::choose(Instant now, const Wish& wish, const Refuses& refuses) {
  std::vector<Multiaddr> known = ranked(store_.addresses(wish.peer));
  if (const auto last = store_.worked_last(wish.peer)) put_first(known, *last);
  auto strangers = strange(wish.peer, known);
  if (!strangers) return std::nullopt;
  for (auto named = wish.named.rbegin(); named != wish.named.rend(); ++named) put_first(known, *named);
  Origin origin{wish.named, *std::move(strangers), {}};
  std::ranges::copy_if(known, std::back_inserter(origin.from_host),
                       [&](const Multiaddr& address) { return store_.from_host(wish.peer, address); });
  return sift(now, wish, known, origin, refuses);
}

AddressChooser::Choice AddressChooser::choose_of_name(Instant now, const Wish& wish, const Multiaddr& name,
                                                      const std::vector<Multiaddr>& found, const Refuses& refuses) {
  const bool named = listed(wish.named, name);
  const bool trusted = named || store_.from_host(wish.peer, name);
  // A name that only others told us of must not lead into our own networks either.
  Origin origin;
  if (named) origin.named = found;
  if (trusted) origin.from_host = found;
  if (!trusted) origin.strangers = strange(wish.peer, found).value_or(found);
  return sift(now, wish, found, origin, refuses);
}

AddressChooser::Choice AddressChooser::sift(Instant now, const Wish& wish, const std::vector<Multiaddr>& addresses,
                                            const Origin& origin, const Refuses& refuses) {
  const BlackHoles::Skipped black = black_holes_.ask(addresses);
  Choice out;
  for (const Multiaddr& address : addresses) {
    const bool is_named = listed(origin.named, address);
    const bool from_host = listed(origin.from_host, address);
    if (const auto refused = refuses(address)) {
      out.skipped.push_back(*refused);
    } else if (!is_named && listed(origin.strangers, address)) {
      out.skipped.push_back({address, DialStage::kSkippedPrivate, kPrivate});
    } else if (const auto held = is_named ? std::nullopt : hold_back(now, wish.peer, address, from_host, black)) {
      out.held_back.push_back(address);
      if (!wish.force) out.skipped.push_back(*held);
    } else {
      out.wanted.push_back(address);
    }
  }
  if (wish.force) out.wanted.insert(out.wanted.end(), out.held_back.begin(), out.held_back.end());
  for (; out.wanted.size() > kDialAddressesMax; out.wanted.pop_back()) {
    out.skipped.push_back({out.wanted.back(), DialStage::kSkippedLimit, kTooMany});
  }
  return out;
}

std::optional<std::vector<Multiaddr>> AddressChooser::strange(const PeerId& peer,
                                                              const std::vector<Multiaddr>& known) const {
  const auto worked_last = store_.worked_last(peer);
  std::vector<Multiaddr> out;
  for (const Multiaddr& address : known) {
    if (store_.from_host(peer, address)) continue;
    const auto verdict = filter_.check(address, worked_last);
    if (verdict == AddressFilter::Verdict::kAskAgain) return std::nullopt;
    if (verdict == AddressFilter::Verdict::kSkip) out.push_back(address);
  }
  return out;
}

std::optional<AddressChooser::Skip> AddressChooser::hold_back(Instant now, const PeerId& peer,
                                                              const Multiaddr& address, bool from_host,
                                                              const BlackHoles::Skipped& black) const {
  if (const Error* why = backoff_.holds(now, peer, address, from_host)) {
    return Skip{address, DialStage::kSkippedBackoff, *why};
  }
  if (black.has(address)) return Skip{address, DialStage::kSkippedBlackHole, kBlackHole};
  return std::nullopt;
}

void AddressChooser::worked(const PeerId& peer, const Multiaddr& address) {
  backoff_.worked(peer, address);
  black_holes_.record(address, true);
}

void AddressChooser::failed(Instant now, const PeerId& peer, const Multiaddr& address, DialStage stage,
                            const Error& why) {
  if (!peer.empty()) backoff_.failed(now, peer, address, why);
  black_holes_.record(address, stage != DialStage::kConnecting);
}

void AddressChooser::was_slower(const Multiaddr& address, DialStage stage) {
  black_holes_.record(address, stage != DialStage::kConnecting);
}

void AddressChooser::set_interfaces(std::vector<InterfaceAddress> interfaces) {
  if (!filter_.set_interfaces(std::move(interfaces))) return;
  backoff_.clear();
  black_holes_.reset();
}

}  // namespace p2pa::swarm
