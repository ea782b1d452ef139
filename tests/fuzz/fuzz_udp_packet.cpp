// Datagrams and frames of UDP sessions: what is read is written again as it was.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"
#include "transport/udp/frame_codec.hpp"
#include "transport/udp/handshake_codec.hpp"
#include "transport/udp/packet_codec.hpp"

using namespace p2pa;
using namespace p2pa::udp;

namespace {

bool same(ByteView a, ByteView b) { return std::ranges::equal(a, b); }

void datagram(ByteView bytes) {
  if (const auto cookie = decode_cookie(bytes)) P2PA_ASSERT(same(encode(*cookie), bytes));
  if (const auto response = decode_response(bytes)) P2PA_ASSERT(same(encode(*response), bytes));
  if (const auto finish = decode_finish(bytes)) P2PA_ASSERT(same(encode(*finish), bytes));
  if (const auto header = decode_data(bytes)) P2PA_ASSERT(same(encode(*header), bytes.first(kDataHeaderSize)));
  if (const auto initial = decode_initial(bytes)) {
    const Bytes again = encode(*initial);
    const std::size_t filled = 11 + initial->cookie.size() + kFirstMessageSize;
    P2PA_ASSERT(same(ByteView(again).first(filled), bytes.first(filled)));
  }
}

void frames(ByteView bytes) {
  ByteReader reader(bytes);
  while (!reader.at_end()) {
    const std::size_t begin = reader.position();
    const auto frame = read_frame(reader);
    if (!frame) return;
    Bytes again;
    append(again, *frame);
    P2PA_ASSERT(same(again, bytes.subspan(begin, reader.position() - begin)));
  }
}

void body(ByteView bytes) {
  ByteReader reader(bytes);
  while (!reader.at_end()) {
    const std::size_t begin = reader.position();
    const auto message = read_corrected_message(reader);
    if (!message) return;
    Bytes again;
    append(again, *message);
    P2PA_ASSERT(same(again, bytes.subspan(begin, reader.position() - begin)));
  }
}

void handshake(ByteView bytes) {
  const auto payload = decode_handshake(bytes);
  if (!payload) return;
  const Bytes again = encode(*payload);
  const auto back = decode_handshake(again);
  P2PA_ASSERT(back && back->parameters == payload->parameters);
  P2PA_ASSERT(same(back->identity.identity_key, payload->identity.identity_key));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  datagram(bytes);
  frames(bytes);
  body(bytes);
  handshake(bytes);
  return 0;
}
