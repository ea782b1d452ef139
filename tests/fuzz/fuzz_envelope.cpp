#include "base/assert.hpp"
#include "identity/envelope.hpp"
#include "identity/peer_record.hpp"

using namespace p2pa;

/// An envelope with a peer record as a peer sends it; and the record by itself, which no input would
/// reach behind a signature.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  if (const auto envelope = Envelope::decode(input)) {
    P2PA_ASSERT(!envelope->payload_type.empty() && !envelope->signature.empty());
  }
  if (const auto record = PeerRecord::open(input)) P2PA_ASSERT(!record->peer.empty());
  if (const auto record = PeerRecord::decode(input)) {
    P2PA_ASSERT(record->addresses.size() <= PeerRecord::kAddressesMax);
    P2PA_ASSERT(PeerRecord::decode(record->encode()) == *record);
  }
  return 0;
}
