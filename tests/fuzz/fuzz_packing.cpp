#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/assert.hpp"
#include "protocols/rpc/packing.hpp"

using namespace p2pa;

/// Whatever is unpacked fills what it is unpacked to, or is refused; and what was packed here is what it was.
/// The first two bytes are the size that is claimed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static rpc::Packer packer;
  static rpc::Unpacker unpacker;
  if (size < 2) return 0;
  const ByteView input(data + 2, size - 2);
  Bytes out(std::size_t{data[0]} << 8 | data[1]);
  const auto unpacked = unpacker.unpack(input, out);
  P2PA_ASSERT(unpacked || unpacked.error().code == Code::kProtocolViolation);
  const ByteView packed = packer.pack(input);
  if (packed.empty()) return 0;
  P2PA_ASSERT(packed.size() < input.size());
  Bytes again(input.size());
  P2PA_ASSERT(unpacker.unpack(packed, again).has_value());
  P2PA_ASSERT(again == Bytes(input.begin(), input.end()));
  return 0;
}
