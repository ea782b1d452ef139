#include "base/assert.hpp"
#include "transport/tls/certificate.hpp"

using namespace p2pa;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto verified = tls::verify_certificate({data, size}, 1'700'000'000);
  if (verified) P2PA_ASSERT(PeerId::from_public_key(verified->public_key) == verified->peer);
  return 0;
}
