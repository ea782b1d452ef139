#pragma once
// Those who proved that they are there, and what we had of each.

#include <map>

#include "lan/packet_codec.hpp"
#include "lan/recent_numbers.hpp"
#include "p2pagents/time.hpp"
#include "transport/udp/replay_window.hpp"

namespace p2pa::lan {

/// Whoever is forgotten proves anew that it is there.
inline constexpr std::size_t kSendersMax = 1024;

class Senders final {
 public:
  enum class Standing : std::uint8_t {
    kUnknown,  ///< never proven, or forgotten, or in another session
    kFresh,
    kSeen,     ///< delivered before, or so far behind others that nobody knows
    kStale,    ///< sent long before the proof
  };
  Standing standing(const PeerId& peer, const Id16& session, std::uint64_t number) const;
  /// Delivered now. REQUIRES kFresh.
  void mark(Instant now, const PeerId& peer, std::uint64_t number);
  /// The peer is in this session, and numbers from `oldest` on are recent; what was before is forgotten. False:
  /// there is no room, since nobody has been silent for kRecent.
  bool prove(Instant now, const PeerId& peer, const Id16& session, std::uint64_t oldest);
  std::size_t size() const { return senders_.size(); }

 private:
  struct Sender {
    Id16 session{};
    std::uint64_t oldest = 0;
    Instant heard;
    udp::ReplayWindow window;
  };
  bool make_room(Instant now);

  std::map<PeerId, Sender> senders_;
};

}  // namespace p2pa::lan
