#include <algorithm>
#include <optional>
#include <vector>

#include "base/assert.hpp"
#include "wire/framing.hpp"

using namespace p2pa;

namespace {

constexpr std::size_t kFrameMax = 300;

struct Outcome {
  std::vector<Bytes> frames;
  std::optional<Code> error;
  bool partial = false;

  bool operator==(const Outcome&) const = default;
};

Outcome feed(ByteView stream, std::size_t piece_size) {
  wire::FrameReader reader(kFrameMax);
  Outcome outcome;
  while (!stream.empty() && !outcome.error) {
    ByteView piece = stream.first(std::min(piece_size, stream.size()));
    stream = stream.subspan(piece.size());
    for (;;) {
      const auto step = reader.next(piece);
      if (!step) {
        outcome.error = step.error().code;
        break;
      }
      P2PA_ASSERT(step->consumed <= piece.size());
      piece = piece.subspan(step->consumed);
      if (!step->frame) break;
      P2PA_ASSERT(step->frame->size() <= kFrameMax);
      outcome.frames.emplace_back(step->frame->begin(), step->frame->end());
    }
    P2PA_ASSERT(piece.empty() || outcome.error);
  }
  outcome.partial = !outcome.error && reader.partial();
  return outcome;
}

}  // namespace

/// A stream gives the same frames and the same end however it is cut. The first byte says how.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const ByteView stream(data + 1, size - 1);
  const Outcome whole = feed(stream, stream.size());
  P2PA_ASSERT(feed(stream, 1) == whole);
  P2PA_ASSERT(feed(stream, 1 + data[0] % 64u) == whole);
  return 0;
}
