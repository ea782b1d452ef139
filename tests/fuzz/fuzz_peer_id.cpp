#include "base/assert.hpp"
#include "base/multihash.hpp"
#include "p2pagents/peer_id.hpp"

using namespace p2pa;

namespace {

void check_round_trips(const PeerId& id) {
  P2PA_ASSERT(!id.empty());
  P2PA_ASSERT(PeerId::from_bytes(id.bytes()) == id);
  P2PA_ASSERT(PeerId::parse(id.to_string()) == id);
  P2PA_ASSERT(PeerId::parse(id.to_cid()) == id);
  P2PA_ASSERT(id.inline_public_key().size() < PeerId::kSizeMax);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  if (const auto id = PeerId::parse(as_text(input))) check_round_trips(*id);
  if (const auto id = PeerId::from_bytes(input)) {
    P2PA_ASSERT(as_text(id->bytes()) == as_text(input));
    check_round_trips(*id);
  }
  if (const auto hash = Multihash::parse(input)) {
    Bytes again;
    hash->append_to(again);
    P2PA_ASSERT(as_text(again) == as_text(input));
  }
  return 0;
}
