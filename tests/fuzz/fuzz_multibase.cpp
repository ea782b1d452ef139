#include "base/assert.hpp"
#include "base/multibase.hpp"

using namespace p2pa;

/// Text that reads stands for bytes that write and read the same; any bytes can be written in the base
/// that the first of them chooses.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  if (const auto bytes = decode_multibase(as_text(input))) {
    const std::string text = encode_multibase(Base{static_cast<char>(data[0])}, *bytes);
    P2PA_ASSERT(decode_multibase(text) == *bytes);
  }
  constexpr std::string_view kPrefixes = "fFbBkKzmuM";
  if (size == 0 || size > 600) return 0;
  const Base base{kPrefixes[data[0] % kPrefixes.size()]};
  const auto back = decode_multibase(encode_multibase(base, input));
  P2PA_ASSERT(back && as_text(*back) == as_text(input));
  return 0;
}
