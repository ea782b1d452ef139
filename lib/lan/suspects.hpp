#pragma once
// Senders that have been asked to prove that they are there, and what they said meanwhile.

#include <optional>
#include <string>
#include <vector>

#include "address/ip_endpoint.hpp"
#include "lan/packet_codec.hpp"
#include "p2pagents/time.hpp"

namespace p2pa::lan {

/// Asked at one time, of all and of one address; of all, the one that was asked first goes for a new one.
inline constexpr std::size_t kSuspectsMax = 64, kSuspectsPerSourceMax = 8;
/// The newest messages of each that are kept.
inline constexpr std::size_t kHeldMax = 8;
/// How long one has to answer, and how often it is asked. Shorter than kRecent.
inline constexpr Duration kProofTimeout = seconds(1);
inline constexpr Duration kChallengeInterval = milliseconds(250);

struct Held {
  std::uint64_t number = 0;
  std::string topic;
  Bytes bytes;
};

struct Suspect {
  PeerId peer;
  Id16 session{};
  Id16 nonce{};
  IpEndpoint at;  ///< that it is asked at
  Instant since, ask_again;
  std::vector<Held> held{};

  bool holds(std::uint64_t number) const;
};

class Suspects final {
 public:
  Suspect* find(const PeerId& peer, const Id16& session);
  Suspect* find(const Id16& session, const Id16& nonce);
  /// Null: one address has too many. The pointer is valid until the next call.
  Suspect* add(Suspect suspect);
  void remove(const Suspect& suspect);

  /// kNever: there are none.
  Instant next_deadline() const;
  /// Removes those whose time is up, and says how many messages went with them.
  std::size_t expire(Instant now);
  /// One that has to be asked again now, or null. It is not given again before its time.
  const Suspect* due(Instant now);
  std::size_t size() const { return suspects_.size(); }
  void clear() { suspects_.clear(); }

 private:
  std::vector<Suspect> suspects_;  // in the order of asking
};

}  // namespace p2pa::lan
