#include "dns/cache.hpp"

#include <algorithm>
#include <utility>

namespace p2pa::dns {
namespace {

std::size_t size_of(const Question& question, const Records& records) {
  std::size_t size = sizeof(Records) + question.name.size() + records.addresses.size() * sizeof(IpAddress);
  for (const Multiaddr& address : records.multiaddrs) size += sizeof(Multiaddr) + address.bytes().size();
  return size;
}

}  // namespace

void Cache::put(Instant now, const Question& question, Records records, Duration ttl) {
  if (const auto old = entries_.find(question); old != entries_.end()) erase(old);
  const Instant ends = now + (records.result ? std::clamp(ttl, kTtlMin, kTtlMax) : kFailureTtl);
  const std::size_t bytes = size_of(question, records);
  if (bytes > kBytesMax) return;
  const auto soonest = [](const auto& a, const auto& b) { return a.second.ends < b.second.ends; };
  while (entries_.size() >= kEntriesMax || bytes_ + bytes > kBytesMax) {
    erase(std::ranges::min_element(entries_, soonest));
  }
  bytes_ += bytes;
  entries_.emplace(question, Entry{std::move(records), ends, bytes});
}

const Records* Cache::find(Instant now, const Question& question) const {
  const auto it = entries_.find(question);
  return it == entries_.end() || it->second.ends <= now ? nullptr : &it->second.records;
}

void Cache::erase(Entries::iterator entry) {
  bytes_ -= entry->second.bytes;
  entries_.erase(entry);
}

}  // namespace p2pa::dns
