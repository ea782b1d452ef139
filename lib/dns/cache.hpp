#pragma once
// What names stood for a moment ago.

#include <map>
#include <vector>

#include "dns/expansion.hpp"
#include "p2pagents/error.hpp"
#include "p2pagents/time.hpp"

namespace p2pa::dns {

/// What a question came to.
struct Records {
  Result<void> result{};
  std::vector<IpAddress> addresses{};
  std::vector<Multiaddr> multiaddrs{};  ///< of TXT records
};

/// Bounded in entries and bytes: what ends first goes first. That nothing is there is remembered, too.
class Cache final {
 public:
  static constexpr std::size_t kEntriesMax = 256;
  static constexpr std::size_t kBytesMax = std::size_t{1} << 20;
  /// A dial asks for the same name several times in one moment, whatever its time to live.
  static constexpr Duration kTtlMin = seconds(1);
  /// A peer that moved is found again after this at the latest.
  static constexpr Duration kTtlMax = minutes(5);
  /// Failures pass; and who tries again at once does not burden the name server.
  static constexpr Duration kFailureTtl = seconds(5);

  void put(Instant now, const Question& question, Records records, Duration ttl);
  /// Null: unknown, or no longer true. Valid until the next put().
  const Records* find(Instant now, const Question& question) const;
  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    Records records;
    Instant ends;
    std::size_t bytes;
  };
  using Entries = std::map<Question, Entry>;
  void erase(Entries::iterator entry);

  Entries entries_;
  std::size_t bytes_ = 0;
};

}  // namespace p2pa::dns
