#include <cstddef>
#include <cstdint>
#include <variant>

#include "base/assert.hpp"
#include "protocols/rpc/rpc_codec.hpp"
#include "wire/framing.hpp"

using namespace p2pa;

/// A frame that decodes is the same after it was written again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMessageBytesMax = 4096;
  const auto frame = rpc::decode_frame({data, size}, kMessageBytesMax);
  if (!frame) return 0;
  Bytes written;
  std::visit([&](const auto& f) { rpc::append_frame(written, f); }, *frame);
  std::size_t header = 1;  // its length, a varint
  while ((written[header - 1] & 0x80) != 0) ++header;
  const auto again = rpc::decode_frame(ByteView(written).subspan(header), kMessageBytesMax);
  P2PA_ASSERT(again.has_value() && again->index() == frame->index());
  Bytes twice;
  std::visit([&](const auto& f) { rpc::append_frame(twice, f); }, *again);
  P2PA_ASSERT(twice == written);
  return 0;
}
