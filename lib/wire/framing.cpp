#include "wire/framing.hpp"

#include <algorithm>

#include "base/byte_writer.hpp"
#include "base/varint.hpp"

namespace p2pa::wire {

namespace {
/// A larger buffer is not kept for the next split frame.
constexpr std::size_t kHeldBytesKept = 16 * 1024;
}  // namespace

void append_frame_header(Bytes& out, std::size_t size) { append_varint(out, size); }

void append_frame(Bytes& out, ByteView message) {
  append_frame_header(out, message.size());
  ByteWriter(out).append(message);
}

/// The length that `bytes` begin with; empty while it is not whole.
Result<std::optional<FrameReader::Head>> FrameReader::read_head(ByteView bytes) const {
  ByteReader reader(bytes);
  const auto size = read_varint(reader);
  if (!size && size.error().code == Code::kTruncated) return std::nullopt;
  if (!size) return std::unexpected(size.error());
  if (*size > max_) return fail(Code::kMessageTooLarge, "frame: longer than allowed here", max_);
  return Head{reader.position(), static_cast<std::size_t>(*size)};
}

void FrameReader::drop_delivered() {
  if (!delivered_) return;
  delivered_ = false;
  held_.clear();
  if (held_.capacity() > kHeldBytesKept) held_ = Bytes();
}

Result<FrameReader::Step> FrameReader::next(ByteView in) {
  if (broken_) return std::unexpected(*broken_);
  drop_delivered();
  auto step = held_.empty() ? next_in_place(in) : next_joined(in);
  if (!step) broken_ = step.error();
  return step;
}

Result<FrameReader::Step> FrameReader::next_in_place(ByteView in) {
  const auto head = read_head(in);
  if (!head) return std::unexpected(head.error());
  if (*head && (*head)->body <= in.size() - (*head)->prefix) {
    return Step{(*head)->prefix + (*head)->body, in.subspan((*head)->prefix, (*head)->body)};
  }
  ByteWriter(held_).append(in);
  return Step{in.size(), std::nullopt};
}

Result<FrameReader::Step> FrameReader::next_joined(ByteView in) {
  std::size_t taken = 0;
  auto head = read_head(held_);
  // A length in pieces: byte by byte, so that nothing after a short frame is taken.
  while (head && !*head && taken < in.size()) {
    held_.push_back(in[taken++]);
    head = read_head(held_);
  }
  if (!head) return std::unexpected(head.error());
  if (!*head) return Step{taken, std::nullopt};

  const std::size_t missing = (*head)->prefix + (*head)->body - held_.size();
  const ByteView more = in.subspan(taken, std::min(missing, in.size() - taken));
  ByteWriter(held_).append(more);
  taken += more.size();
  if (more.size() < missing) return Step{taken, std::nullopt};
  delivered_ = true;
  return Step{taken, ByteView(held_).subspan((*head)->prefix)};
}

}  // namespace p2pa::wire
