// Packets for a decoder of the erasure code. The input is a script: each step is a length and a packet;
// what a packet gives out must be within the bounds, once, and what decodes encodes to the same bytes.
#include <algorithm>
#include <map>
#include <variant>

#include "base/assert.hpp"
#include "fec/decoder.hpp"
#include "fec/packet_codec.hpp"
#include "fuzz/input.hpp"

using namespace p2pa;

namespace {

void round_trip(ByteView packet) {
  const auto decoded = fec::decode_packet(packet);
  if (!decoded) return;
  Bytes again;
  std::visit([&](const auto& what) { fec::append_packet(again, what); }, *decoded);
  P2PA_ASSERT(std::ranges::equal(again, packet));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input({data, size});
  fec::Decoder decoder;
  std::map<std::uint64_t, int> told;
  while (!input.empty()) {
    const ByteView packet = input.take(input.byte());
    round_trip(packet);
    static_cast<void>(decoder.receive(packet));
    while (const auto known = decoder.poll()) {
      P2PA_ASSERT(known->body.size() <= fec::kBodyBytesMax);
      P2PA_ASSERT(++told[known->number] == 1);
      P2PA_ASSERT(decoder.body(known->number).has_value());
    }
    P2PA_ASSERT(decoder.equations() <= fec::Decoder::kEquationsMax);
    P2PA_ASSERT(decoder.report().lost <= decoder.report().judged);
  }
  return 0;
}
