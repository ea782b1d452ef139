#include "base/assert.hpp"
#include "transport/tls/certificate.hpp"
#include "transport/tls/certificate_key.hpp"
#include "transport/tls/der.hpp"

using namespace p2pa;

namespace {

/// Elements of elements, as deep as they go.
void walk(ByteView bytes, int depth) {
  ByteReader reader(bytes);
  while (const auto element = tls::der::read(reader)) {
    P2PA_ASSERT(element->content.size() < element->whole.size() && element->whole.size() <= bytes.size());
    static_cast<void>(tls::der::unix_time(*element));
    if (depth < 16) walk(element->content, depth + 1);
  }
}

}  // namespace

/// A certificate by itself, and the TLS message that brings one: what is good in the end was not refused at
/// first sight.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  walk(input, 0);
  const auto verified = tls::verify_certificate(input, 1'700'000'000);
  if (verified) P2PA_ASSERT(PeerId::from_public_key(verified->public_key) == verified->peer);
  const auto fine = tls::check_certificate_message(input);
  const auto certificate = tls::first_certificate(input);
  if (!certificate) P2PA_ASSERT(!fine);
  if (certificate && tls::verify_certificate(*certificate, 1'700'000'000)) P2PA_ASSERT(fine.has_value());
  return 0;
}
