// A channel of messages: its first byte chooses frames of the control stream, or a script of packets, each a
// length and a packet, for the receiving end.
#include <algorithm>

#include "base/assert.hpp"
#include "fuzz/input.hpp"
#include "protocols/messages/assembler.hpp"
#include "protocols/messages/messages_codec.hpp"

using namespace p2pa;

namespace {

/// What a frame says is the same when it is written and read again.
void read_frames(ByteView frame) {
  Bytes again;
  if (const auto hello = messages::decode_hello(frame)) {
    messages::append_frame(again, *hello);
    P2PA_ASSERT(messages::decode_hello(ByteView(again).subspan(1))->tag == hello->tag);
  }
  again.clear();
  if (const auto report = messages::decode_report(frame)) {
    messages::append_frame(again, *report);
    P2PA_ASSERT(*messages::decode_report(ByteView(again).subspan(1)) == *report);
  }
  again.clear();
  if (const auto piece = messages::decode_piece(frame)) {
    messages::append_piece(again, *piece);
    P2PA_ASSERT(std::ranges::equal(again, frame));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input({data, size});
  if (input.byte() % 2 == 0) {
    read_frames(input.take(size));
    return 0;
  }
  messages::Assembler assembler;
  while (!input.empty()) {
    assembler.receive(input.take(input.byte()), [](ByteView message) {
      P2PA_ASSERT(message.size() <= messages::kPiecesMax * fec::kBodyBytesMax);
    });
  }
  return 0;
}
