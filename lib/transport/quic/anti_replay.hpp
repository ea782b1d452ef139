#pragma once
// Remembers which first flights with early data were taken, so that none is taken twice.

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_set>

#include "p2pagents/bytes.hpp"

namespace p2pa::quic {

/// Two generations of fingerprints: what is older than a window was refused by its ticket's age
/// already, so the older generation may go. A full window refuses everything: the client then sends
/// its early data again after the handshake, which is always safe.
class AntiReplay final {
 public:
  static constexpr std::size_t kFingerprintsMax = 16'384;  ///< per window

  /// `expires` and `window` in seconds of one clock; `expires` is at most a window ahead. True: this
  /// fingerprint was not seen before and is remembered now.
  bool add(ByteView fingerprint, std::int64_t expires, std::int64_t window);
  std::size_t size() const { return young_.size() + old_.size(); }

 private:
  std::unordered_set<std::uint64_t> young_, old_;
  std::int64_t young_until_ = 0;  // fingerprints that expire later start a new generation
};

}  // namespace p2pa::quic
