#pragma once
// Some networks swallow a whole kind of packets: UDP, or IPv6. Who has learned that dials without them.

#include <cstdint>
#include <deque>
#include <vector>

#include "p2pagents/multiaddr.hpp"

namespace p2pa::swarm {

/// Of the last kBlackHoleTries, fewer than kBlackHoleSuccessesMin worked: nothing of the kind passes
/// (go-libp2p's numbers).
inline constexpr std::size_t kBlackHoleTries = 100, kBlackHoleSuccessesMin = 5;
/// Of so many dials that would like to use a blocked kind one may, and finds out whether it still is.
inline constexpr std::size_t kBlackHoleProbeEvery = 100;

/// For one kind of addresses. Those that the host named itself are tried whatever it says, and recorded.
class BlackHoleDetector final {
 public:
  enum class State : std::uint8_t {
    kUnknown,  ///< too few were tried
    kPasses,
    kBlocked,
  };
  State state() const;
  /// A dial begins that has such addresses. May it try them?
  bool ask();
  void record(bool worked);
  /// We are in another network.
  void reset() { *this = {}; }

 private:
  std::deque<bool> results_;  // of the last kBlackHoleTries
  std::size_t successes_ = 0;
  std::size_t asked_ = 0;  // while it was blocked
};

/// The kinds that networks are known to block. Addresses of our own networks say nothing of the way out, and
/// are left out.
class BlackHoles final {
 public:
  /// What one dial leaves out.
  struct Skipped {
    bool udp = false, ip6 = false;
    bool has(const Multiaddr& address) const;
  };
  /// A dial of these begins.
  Skipped ask(const std::vector<Multiaddr>& addresses);
  /// `answered`: something came back, be it a refusal.
  void record(const Multiaddr& address, bool answered);
  void reset();

  const BlackHoleDetector& udp() const { return udp_; }
  const BlackHoleDetector& ip6() const { return ip6_; }

 private:
  BlackHoleDetector udp_, ip6_;
};

}  // namespace p2pa::swarm
