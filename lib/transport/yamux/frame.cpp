#include "transport/yamux/frame.hpp"

#include "base/byte_reader.hpp"

namespace p2pa::yamux {
namespace {

constexpr std::uint8_t kVersion = 0;

template <class Integer>
void put(std::uint8_t* at, Integer value) {
  for (std::size_t i = sizeof value; i-- > 0; value = static_cast<Integer>(value >> 8)) {
    at[i] = static_cast<std::uint8_t>(value);
  }
}

}  // namespace

std::array<std::uint8_t, kFrameHeaderSize> encode_frame(const Frame& frame) {
  std::array<std::uint8_t, kFrameHeaderSize> out;
  out[0] = kVersion;
  out[1] = static_cast<std::uint8_t>(frame.type);
  put(&out[2], frame.flags);
  put(&out[4], frame.stream);
  put(&out[8], frame.length);
  return out;
}

Result<Frame> decode_frame(std::span<const std::uint8_t, kFrameHeaderSize> bytes) {
  if (bytes[0] != kVersion) return fail(Code::kMalformed, "yamux: another version", bytes[0]);
  if (bytes[1] > static_cast<std::uint8_t>(FrameType::kGoAway)) {
    return fail(Code::kMalformed, "yamux: an unknown type of frame", bytes[1]);
  }
  ByteReader reader(ByteView(bytes).subspan(2));
  Frame frame;
  frame.type = static_cast<FrameType>(bytes[1]);
  frame.flags = *reader.big_endian<std::uint16_t>();
  frame.stream = *reader.big_endian<std::uint32_t>();
  frame.length = *reader.big_endian<std::uint32_t>();
  const bool of_session = frame.type == FrameType::kPing || frame.type == FrameType::kGoAway;
  if (of_session != (frame.stream == 0)) return fail(Code::kMalformed, "yamux: a frame of the wrong stream");
  return frame;
}

}  // namespace p2pa::yamux
