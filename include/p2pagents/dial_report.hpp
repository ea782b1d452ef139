#pragma once
// What became of a dial, address by address: for who asks why a peer was not reached, or why it was reached
// at this address and no better one.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "p2pagents/error.hpp"
#include "p2pagents/multiaddr.hpp"
#include "p2pagents/peer_id.hpp"
#include "p2pagents/time.hpp"

namespace p2pa {

/// How far one address got, or why it was not tried. Stable numbers, the same as the C ABI's P2PA_DIAL_*.
enum class DialStage : std::uint8_t {
  kConnected = 0,          ///< this one won
  kResolving = 1,          ///< its name is looked up; kOk: what it stands for is among the attempts
  kConnecting = 2,         ///< nothing has come back yet
  kSecuring = 3,           ///< somebody answers; who it is has to be proved
  kMuxing = 4,             ///< the peer is the one we want; how streams share the connection is agreed on
  kSkippedBackoff = 16,    ///< it failed a short while ago; the error is the one of then
  kSkippedBlackHole = 17,  ///< nothing of its kind (UDP, IPv6) gets through from here
  kSkippedPrivate = 18,    ///< a private address of another network (NodeOptions::dial_private)
  kSkippedGated = 19,      ///< a rule of this node forbids it
  kSkippedNoTransport = 20,  ///< nothing here dials such addresses
  kSkippedLimit = 21,      ///< more than one dial tries, or a bound on what we may use
};
/// "connecting", "skipped: back-off"; "unknown" for a number that is none.
std::string_view dial_stage_name(DialStage stage) noexcept;
constexpr bool skipped(DialStage stage) { return stage >= DialStage::kSkippedBackoff; }

/// One address of a dial.
struct DialAttempt {
  Multiaddr address;  ///< without /p2p/<id>
  Duration started;   ///< since the dial began
  Duration took;      ///< zero when it was skipped
  DialStage stage;
  /// kOk: this one won, or its name was resolved. kCancelled: another one was faster, or the dial was given up.
  Error error;
};

/// What became of a dial. A value.
struct DialReport {
  /// Attempts that are kept; what is more goes untold.
  static constexpr std::size_t kAttemptsMax = 64;

  PeerId peer;  ///< whom we wanted, or who answered; empty: nobody did
  std::vector<DialAttempt> attempts;  ///< in the order in which they began; none: it was connected already
  Duration took;
  Error error;  ///< kOk: connected

  /// Lines for people, one for each attempt: "+0.250 s  /ip4/…  0.012 s  connecting  unreachable: …".
  std::string to_string() const;
};

}  // namespace p2pa
