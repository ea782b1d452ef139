#include "dns/resolver.hpp"

#include <algorithm>
#include <utility>

#include "dns/txt_message.hpp"

namespace p2pa::dns {
namespace {

constexpr Error kTooManyAtOnce{Code::kRateLimited, kResolutionsMax, "dns: too many resolutions at once"};
constexpr Error kTooDeep{Code::kUnresolved, kDepthMax, "dns: names that lead to names without end"};
constexpr Error kTooManyNames{Code::kUnresolved, kQuestionsMax, "dns: names that lead to too many others"};
constexpr Error kNoneMeant{Code::kUnresolved, 0, "dns: no record of the name is for the peer"};
constexpr Error kTooLate{Code::kUnresolved, 0, "dns: no name server answered in time"};
constexpr Error kNothing{Code::kUnresolved, 0, "dns: nothing to resolve"};

/// A name of several that does not exist says less than what kept another from being looked up.
void note_failure(Error& failure, const Error& why) {
  if (failure.code == Code::kOk || failure.code == Code::kNotFound) failure = why;
}

Error final_failure(const Error& failure) {
  switch (failure.code) {
    case Code::kOk: return kNothing;
    case Code::kMalformed: return failure;
    default: return {Code::kUnresolved, failure.detail, failure.why};
  }
}

}  // namespace

void Resolver::resolve(Instant now, const std::vector<Multiaddr>& addresses, Done done) {
  if (resolutions_.size() >= kResolutionsMax) {
    finished_.push_back({std::move(done), std::unexpected(kTooManyAtOnce)});
    return;
  }
  const ResolutionId id = next_resolution_++;
  Resolution& resolution = resolutions_[id];
  resolution.done = std::move(done);
  resolution.deadline = now + kResolutionTimeout;
  resolution.items.emplace_back();  // the place that the addresses take
  replace(resolution, 0, addresses);
  advance(now, id);
}

void Resolver::advance(Instant now, ResolutionId id) {
  Resolution& resolution = resolutions_.at(id);
  bool open = false;
  for (std::size_t at = 0; at < resolution.items.size();) {
    const Item& item = resolution.items[at];
    if (!item.asked && has_name(item.address)) {
      advance_item(now, id, resolution, at);  // what stands there then is looked at next
    } else {
      open = open || item.asked;
      ++at;
    }
  }
  if (!open) finish(id);
}

void Resolver::advance_item(Instant now, ResolutionId id, Resolution& resolution, std::size_t at) {
  const auto drop = [&](const Error& why) {
    note_failure(resolution.failure, why);
    resolution.items.erase(resolution.items.begin() + static_cast<std::ptrdiff_t>(at));
  };
  Item& item = resolution.items[at];
  if (item.depth == kDepthMax) {
    ++counters_.over_bound;
    return drop(kTooDeep);
  }
  const auto question = question_of(item.address);
  if (!question) return drop(question.error());
  if (!item.counted && resolution.questions == kQuestionsMax) {
    ++counters_.over_bound;
    return drop(kTooManyNames);
  }
  if (!std::exchange(item.counted, true)) ++resolution.questions;
  const Records* records = cache_.find(now, *question);
  if (records == nullptr) {
    item.asked = true;
    return ask(*question, id);
  }
  if (!records->result) return drop(records->result.error());
  const std::vector<Multiaddr> expanded = expand(item.address, *records);
  if (expanded.empty()) return drop(kNoneMeant);
  replace(resolution, at, expanded);
}

void Resolver::replace(Resolution& resolution, std::size_t at, const std::vector<Multiaddr>& by) {
  auto& items = resolution.items;
  const int depth = items[at].address.empty() ? 0 : items[at].depth + 1;
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(at));
  for (const Multiaddr& whole : by) {
    for (const Multiaddr& address : split_families(whole)) {
      if (address.empty()) continue;
      if (items.size() == kAddressesMax) {
        ++counters_.over_bound;
      } else if (resolution.seen.insert(address).second) {
        items.insert(items.begin() + static_cast<std::ptrdiff_t>(at++), Item{address, depth});
      }
    }
  }
}

std::vector<Multiaddr> Resolver::expand(const Multiaddr& address, const Records& records) {
  std::vector<Multiaddr> out;
  for (const IpAddress& ip : records.addresses) out.push_back(with_ip(address, ip));
  for (const Multiaddr& record : records.multiaddrs) {
    if (auto meant = with_record(address, record)) {
      out.push_back(std::move(*meant));
    } else {
      ++counters_.filtered_records;
    }
  }
  return out;
}

// --- asking

void Resolver::ask(const Question& question, ResolutionId id) {
  const auto [asked, is_new] = asked_.try_emplace(question);
  asked->second.insert(id);
  if (is_new) unsent_.push_back(question);
}

bool Resolver::poll_query(Query& out) {
  if (!has_queries()) return false;
  Question question = std::move(unsent_.front());
  unsent_.pop_front();
  out = {next_query_++, question.type, question.name};
  sent_.emplace(out.id, std::move(question));
  return true;
}

void Resolver::handle(Instant now, const Answer& answer) {
  const auto sent = sent_.find(answer.id);
  if (sent == sent_.end()) return;
  const Question question = std::move(sent->second);
  sent_.erase(sent);
  cache_.put(now, question, read(question, answer), answer.ttl);
  const auto waiting = asked_.extract(question);
  for (const ResolutionId id : waiting.mapped()) {
    const auto it = resolutions_.find(id);
    if (it == resolutions_.end()) continue;  // its time was over
    for (Item& item : it->second.items) {
      if (item.asked && question_of(item.address) == question) item.asked = false;
    }
    advance(now, id);
  }
}

Records Resolver::read(const Question& question, const Answer& answer) {
  Records out{answer.result};
  if (!out.result) {
    // A message that cannot be read is not a name that cannot be.
    if (out.result.error().code != Code::kNotFound) out.result.error().code = Code::kUnresolved;
    return out;
  }
  for (const IpAddress& ip : answer.addresses) {
    if (out.addresses.size() == kRecordsMax) break;
    const bool wanted = question.type != RecordType::kTxt && ip.v6 == (question.type == RecordType::kAaaa);
    if (wanted) out.addresses.push_back(ip);
  }
  for (const std::string& text : answer.texts) {
    if (question.type != RecordType::kTxt || out.multiaddrs.size() == kRecordsMax) break;
    if (auto address = parse_dnsaddr(text)) {
      out.multiaddrs.push_back(std::move(*address));
    } else {
      ++counters_.bad_records;
    }
  }
  if (out.addresses.empty() && out.multiaddrs.empty()) {
    const bool texts = question.type == RecordType::kTxt;
    const char* why = texts ? "dns: no record of the name is a dnsaddr" : "dns: the name has no address";
    out.result = fail(Code::kNotFound, why);
  }
  return out;
}

// --- ending

void Resolver::finish(ResolutionId id) {
  Resolution resolution = std::move(resolutions_.extract(id).mapped());
  std::vector<Multiaddr> found;
  for (Item& item : resolution.items) {
    if (!has_name(item.address)) found.push_back(std::move(item.address));
  }
  Result<std::vector<Multiaddr>> result = std::move(found);
  if (result->empty()) result = std::unexpected(final_failure(resolution.failure));
  finished_.push_back({std::move(resolution.done), std::move(result)});
}

void Resolver::turn(Instant now) {
  if (finished_.empty()) return;
  for (Finished& finished : std::exchange(finished_, {})) finished.done(now, std::move(finished.result));
}

void Resolver::on_deadline(Instant now) {
  while (!resolutions_.empty() && resolutions_.begin()->second.deadline <= now) {
    const auto oldest = resolutions_.begin();
    note_failure(oldest->second.failure, kTooLate);
    finish(oldest->first);
  }
  // What was not sent yet, and nobody waits for any more.
  std::erase_if(unsent_, [this](const Question& question) {
    const auto asked = asked_.find(question);
    const auto waits = [this](ResolutionId id) { return resolutions_.contains(id); };
    if (std::ranges::any_of(asked->second, waits)) return false;
    asked_.erase(asked);
    return true;
  });
}

Instant Resolver::next_deadline() const {
  return resolutions_.empty() ? kNever : resolutions_.begin()->second.deadline;
}

}  // namespace p2pa::dns
