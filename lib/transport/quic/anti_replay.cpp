#include "transport/quic/anti_replay.hpp"

#include <utility>

#include "base/hash.hpp"

namespace p2pa::quic {

bool AntiReplay::add(ByteView fingerprint, std::int64_t expires, std::int64_t window) {
  if (expires > young_until_ + window) young_.clear();  // all of them have expired
  if (expires > young_until_) {
    old_ = std::exchange(young_, {});
    young_until_ = expires + window;
  }
  if (young_.size() >= kFingerprintsMax) return false;
  // The fingerprint is a MAC: sixty-four bits of it are as good as random. A collision only refuses.
  const std::uint64_t key = stable_hash(fingerprint);
  return !old_.contains(key) && young_.insert(key).second;
}

}  // namespace p2pa::quic
