#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace p2pa {

/// How much of what others sent came to nothing here, by reason, since the node began. Noise of the network
/// counts as well as attacks: a number that grows quickly is one. Bounds count beside it, in LimitCounters.
/// What a QUIC connection finds wrong with a single packet of its own is not told by the engine, and not here.
struct DropCounters {
  enum Which : std::uint8_t {
    // Datagrams.
    kMalformed,         ///< none of ours: garbage, another version, too short
    kUnknown,           ///< of a connection that is not here, or of none yet
    kUnexpected,        ///< well-formed, and of no use now: nobody listens there, or that part is over
    kRepeated,          ///< this packet came before
    kNotAuthentic,      ///< sealed with other keys, or damaged
    kEarly,             ///< before its connection has keys, and more than waits for them
    kAddressUnproven,   ///< a first packet whose sender was asked to prove its address (cookie, Retry)
    kProofRefused,      ///< a cookie or a token that is forged, too old, or another address's
    kAnswersFull,       ///< an answer found too many before it
    // Handshakes of others with us.
    kHandshakeRefused,  ///< by a bound or a rule, before it began
    kHandshakeFailed,   ///< the other end broke off or broke the rules
    kHandshakeSlow,     ///< not done in time
    // Connections and streams.
    kConnectionViolation,  ///< ended: the peer broke the rules, as by sending more than its window
    kConnectionFlood,      ///< ended: the peer asked for more answers than it took
    kStreamViolation,      ///< reset: the peer broke the rules of its protocol
    kStreamUnknown,        ///< refused: no protocol was agreed on
    kStreamLimit,          ///< reset or refused: over a bound of number, memory or rate
    kStreamSlow,           ///< reset: the peer did not go on in time
    kMessage,              ///< refused: no message of a call, or larger than it may be once unpacked
    kCount
  };
  std::array<std::uint64_t, kCount> dropped{};
  static std::string_view name(Which which) noexcept;
};

}  // namespace p2pa
