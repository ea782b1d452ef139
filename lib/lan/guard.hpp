#pragma once
// How many signatures a local network makes us check, and make.

#include <map>

#include "address/ip_endpoint.hpp"
#include "shaping/token_bucket.hpp"

namespace p2pa::lan {

/// Addresses that are remembered; the one that was silent longest goes first, of those that proved nothing.
inline constexpr std::size_t kSourcesMax = 256;
/// Signatures a second, and at once, of all addresses together, of one that is proven and of one that is not, and
/// of all those that are not: whoever makes up addresses cannot use up what is for the others. One takes about
/// 50 µs, so that all together are a tenth of a core.
inline constexpr RateLimit kVerifyTotal{2000, 1000}, kVerifyProven{500, 500};
inline constexpr RateLimit kVerifyStranger{50, 50}, kVerifyStrangers{250, 250};
/// Proofs that we sign for others.
inline constexpr RateLimit kAnswerTotal{500, 250};
/// Challenges that we send to one address, and to all: who makes an address up has us send there.
inline constexpr RateLimit kAskOne{8, 8}, kAskTotal{200, 200};

/// Token buckets whose bytes are signatures.
class Guard final {
 public:
  explicit Guard(Instant now);

  /// May a signature of this source be checked? It counts then.
  bool may_verify(Instant now, const IpAddress& source);
  /// May a challenge from this source be answered?
  bool may_answer(Instant now, const IpAddress& source);
  /// May this source be sent a challenge? It counts then.
  bool may_ask(Instant now, const IpAddress& source);
  /// What was sent to this address was received there.
  void proven(Instant now, const IpAddress& source);

 private:
  struct Source {
    shaping::TokenBucket bucket;
    shaping::TokenBucket asked;
    bool proven = false;
    Instant used;
  };
  Source& source(Instant now, const IpAddress& ip);
  void evict();

  shaping::TokenBucket total_, strangers_, answers_, asked_;
  std::map<IpAddress, Source> sources_;
};

}  // namespace p2pa::lan
