#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"
#include "transport/multistream/negotiation.hpp"

using namespace p2pa;
using multistream::Negotiation;

namespace {

/// Feeds the bytes in pieces whose size the first byte tells; says where it ended.
Negotiation::State feed(Negotiation& negotiation, ByteView bytes, std::size_t piece) {
  const auto known = [](std::string_view protocol) { return protocol == "/a/1"; };
  Bytes out;
  while (!bytes.empty()) {
    const ByteView now = bytes.first(std::min(piece, bytes.size()));
    const auto progress = negotiation.advance(now, known, out);
    if (!progress) {
      P2PA_ASSERT(negotiation.state() == Negotiation::State::kFailed);
      break;
    }
    P2PA_ASSERT(progress->consumed <= now.size());
    if (progress->finished) break;
    P2PA_ASSERT(progress->consumed == now.size());  // what is unfinished is kept inside
    bytes = bytes.subspan(progress->consumed);
  }
  P2PA_ASSERT(out.size() <= multistream::kMessageBytesMax * (multistream::kProposalsMax + 2));
  return negotiation.state();
}

}  // namespace

/// Either end comes to the same end however the bytes are cut.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const ByteView bytes(data + 2, size - 2);
  const bool initiator = (data[0] & 1) != 0;
  Negotiation whole, pieces;
  Bytes first;
  if (initiator) {
    whole.propose("/a/1", first);
    pieces.propose("/a/1", first);
  } else {
    whole.listen();
    pieces.listen();
  }
  const auto a = feed(whole, bytes, bytes.size() + 1);
  const auto b = feed(pieces, bytes, std::size_t{1} + data[1] % 16);
  P2PA_ASSERT(a == b);
  return 0;
}
