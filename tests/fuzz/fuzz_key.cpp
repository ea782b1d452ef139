#include "base/assert.hpp"
#include "identity/key_protobuf.hpp"
#include "identity/public_key.hpp"
#include "p2pagents/key_pair.hpp"

using namespace p2pa;

/// A key as a peer sends it, and a private key as a file may hold it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  if (const auto fields = decode_key_fields(input)) {
    const Bytes written = encode_key_fields(*fields);
    const auto again = decode_key_fields(written);
    P2PA_ASSERT(again && again->type == fields->type && as_text(again->data) == as_text(fields->data));
  }
  if (const auto key = PublicKey::decode(input)) {
    P2PA_ASSERT(as_text(key->encode()) == as_text(input));
    P2PA_ASSERT(PeerId::from_public_key(input) == key->peer_id());
    const Bytes signature(64, 1);
    P2PA_ASSERT(!key->verify(input, signature));
  }
  if (const auto pair = KeyPair::from_protobuf(input)) {
    P2PA_ASSERT(KeyPair::from_protobuf(pair->to_protobuf())->peer_id() == pair->peer_id());
  }
  return 0;
}
