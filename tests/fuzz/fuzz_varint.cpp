#include "base/assert.hpp"
#include "base/varint.hpp"

using namespace p2pa;

/// A varint that reads is the one way to write its value.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  ByteReader reader(input);
  while (const auto value = read_varint(reader)) {
    const Varint again = encode_varint(*value);
    P2PA_ASSERT(varint_size(*value) == again.size);
    const std::size_t begin = reader.position() - again.size;
    P2PA_ASSERT(as_text(again.bytes()) == as_text(input.subspan(begin, again.size)));
  }
  return 0;
}
