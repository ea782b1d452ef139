#include "base/assert.hpp"
#include "p2pagents/pre_shared_key.hpp"

using namespace p2pa;

/// A file that reads stands for a key that writes and reads the same; any other is a bad key file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto key = PreSharedKey::parse({data, size});
  if (!key) {
    P2PA_ASSERT(key.error().code == Code::kBadKeyFile);
    return 0;
  }
  const auto again = PreSharedKey::parse(as_bytes(key->to_file()));
  P2PA_ASSERT(again && as_text(again->bytes()) == as_text(key->bytes()));
  return 0;
}
