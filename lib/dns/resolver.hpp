#pragma once
// From addresses with names to addresses that can be dialed.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "dns/cache.hpp"
#include "dns/expansion.hpp"
#include "dns/query.hpp"
#include "p2pagents/multiaddr.hpp"

namespace p2pa::dns {

/// Names that may follow each other, /dnsaddr to /dnsaddr to /dns4. Go's bound; the public bootstrap nodes
/// of libp2p need three.
inline constexpr int kDepthMax = 4;
/// What one resolution comes to at most, what is not resolved yet included (go's bound; a dial tries 25).
inline constexpr std::size_t kAddressesMax = 100;
/// Questions of one resolution, those that the cache answers included (rust's bound).
inline constexpr int kQuestionsMax = 32;
/// Queries that are with the driver at one time; others wait for their turn.
inline constexpr std::size_t kQueriesMax = 64;
/// Resolutions at one time; the next fails with kRateLimited.
inline constexpr std::size_t kResolutionsMax = 256;
/// What was found until then is the answer. A time-out of a name server and its retry fit in.
inline constexpr Duration kResolutionTimeout = seconds(10);

/// What name servers said and was not used.
struct ResolverCounters {
  std::uint64_t bad_records = 0;       ///< TXT records that are no `dnsaddr=<multiaddr>`
  std::uint64_t filtered_records = 0;  ///< of another peer than was asked for
  std::uint64_t over_bound = 0;        ///< addresses and names past one of the bounds above
};

/// A pure machine: says what to ask (poll_query) and is told (handle). Queries for the same are one query.
/// A resolution ends when nothing is left to ask or its time is over; it never waits for another's.
class Resolver final {
 public:
  /// Addresses that begin with no name, each once, in the order of the addresses and records that they come
  /// of; where a /p2p/<id> stood, with it. Never empty. Errors: kUnresolved (nothing was found, and why),
  /// kMalformed (a name that no host can have), kRateLimited (kResolutionsMax).
  using Done = std::move_only_function<void(Instant, Result<std::vector<Multiaddr>>)>;

  /// `done` comes once, in a turn, not before this returns; not at all if the resolver goes before.
  void resolve(Instant now, const std::vector<Multiaddr>& addresses, Done done);
  /// An answer that nothing was asked for is ignored.
  void handle(Instant now, const Answer& answer);
  /// The next query for the driver. False: none now.
  bool poll_query(Query& out);
  bool has_queries() const { return !unsent_.empty() && sent_.size() < kQueriesMax; }

  /// Tells whom it concerns.
  void turn(Instant now);
  bool has_work() const { return !finished_.empty(); }
  void on_deadline(Instant now);
  Instant next_deadline() const;

  const ResolverCounters& counters() const { return counters_; }
  const Cache& cache() const { return cache_; }

 private:
  using ResolutionId = std::uint64_t;
  struct Item {
    Multiaddr address;
    int depth = 0;         ///< names that were replaced until now
    bool counted = false;  ///< among the questions of its resolution
    bool asked = false;    ///< the answer will come
  };
  struct Resolution {
    Done done;
    Instant deadline;
    std::vector<Item> items{};   ///< in order; one that begins with a name is open
    std::set<Multiaddr> seen{};  ///< all that were ever items: what leads back to itself ends here
    int questions = 0;
    Error failure{Code::kOk, 0, ""};
  };
  struct Finished {
    Done done;
    Result<std::vector<Multiaddr>> result;
  };

  /// Goes on with whatever is known, and ends the resolution when nothing is open.
  void advance(Instant now, ResolutionId id);
  /// Replaces an open item by what its name stands for, or sees to it that it is asked for.
  void advance_item(Instant now, ResolutionId id, Resolution& resolution, std::size_t at);
  void replace(Resolution& resolution, std::size_t at, const std::vector<Multiaddr>& by);
  std::vector<Multiaddr> expand(const Multiaddr& address, const Records& records);
  Records read(const Question& question, const Answer& answer);
  void ask(const Question& question, ResolutionId id);
  void finish(ResolutionId id);

  Cache cache_;
  std::map<ResolutionId, Resolution> resolutions_;  // the oldest, whose time is over first, first
  std::map<Question, std::set<ResolutionId>> asked_;  // who waits: nobody, when their time was over
  std::map<QueryId, Question> sent_;
  std::deque<Question> unsent_;
  std::deque<Finished> finished_;
  ResolutionId next_resolution_ = 1;
  QueryId next_query_ = 1;
  ResolverCounters counters_;
};

}  // namespace p2pa::dns
