#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"
#include "protocols/identify/identify_codec.hpp"

using namespace p2pa;

/// What was merged stays within its bounds, and reads the same when written again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  identify::Message message;
  if (!identify::merge({data, size}, message)) return 0;
  if (message.protocols) P2PA_ASSERT(message.protocols->size() <= identify::kProtocolsMax);
  if (message.listen_addresses) {
    P2PA_ASSERT(message.listen_addresses->size() <= identify::kAddressesMax);
  }
  identify::Message again;
  const Bytes written = identify::encode(message);
  P2PA_ASSERT(identify::merge(written, again).has_value());
  P2PA_ASSERT(identify::encode(again) == written);
  return 0;
}
