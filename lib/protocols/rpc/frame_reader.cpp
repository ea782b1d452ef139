#include "protocols/rpc/frame_reader.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "base/varint.hpp"
#include "protocols/rpc/message_memory.hpp"

namespace p2pa::rpc {

namespace {

struct Head {
  std::size_t prefix = 0;
  std::size_t total = 0;  ///< 0: the length is not complete yet
};

Result<Head> read_head(ByteView bytes, std::size_t frame_bytes_max) {
  ByteReader reader(bytes);
  const auto length = read_varint(reader);
  if (!length && length.error().code == Code::kTruncated) return Head{};
  if (!length || *length == 0) return fail(Code::kProtocolViolation, "rpc: not a frame length");
  if (*length > frame_bytes_max) {
    return fail(Code::kMessageTooLarge, "rpc: frame over the limit", frame_bytes_max);
  }
  return Head{reader.position(), reader.position() + *length};
}

}  // namespace

Result<ByteView> FrameReader::next(Stream* stream, resource::Manager& resources,
                                   std::size_t frame_bytes_max) {
  if (stream == nullptr) return buffer_.size() == total_ ? ByteView(buffer_).subspan(prefix_) : ByteView{};
  if (!buffer_.empty()) return assemble(*stream, resources, frame_bytes_max);
  const ByteView here = stream->peek();
  if (here.empty()) return ByteView{};
  const auto head = read_head(here, frame_bytes_max);
  if (!head) return std::unexpected(head.error());
  if (head->total == 0 || head->total > here.size()) {
    return assemble(*stream, resources, frame_bytes_max);
  }
  prefix_ = head->prefix;
  in_place_ = head->total;
  return here.subspan(prefix_, in_place_ - prefix_);
}

Result<ByteView> FrameReader::assemble(Stream& stream, resource::Manager& resources,
                                       std::size_t frame_bytes_max) {
  ByteView here = stream.peek();
  while (total_ == kUnknown && !here.empty()) {
    buffer_.push_back(here.front());
    stream.consume(1);
    here = stream.peek();
    const auto head = read_head(buffer_, frame_bytes_max);
    if (!head) return std::unexpected(head.error());
    if (head->total == 0) continue;
    prefix_ = head->prefix;
    total_ = head->total;
    if (const auto charged = reserve(stream.peer(), resources); !charged) {
      return std::unexpected(charged.error());
    }
  }
  while (buffer_.size() < total_ && !here.empty()) {
    const ByteView piece = here.first(std::min(here.size(), total_ - buffer_.size()));
    ByteWriter(buffer_).append(piece);
    stream.consume(piece.size());
    here = stream.peek();
  }
  if (buffer_.size() < total_) return ByteView{};
  return ByteView(buffer_).subspan(prefix_);
}

Result<void> FrameReader::reserve(const PeerId& peer, resource::Manager& resources) {
  if (total_ > std::max(charged_, kUnchargedBytesMax)) {
    memory_.release();
    charged_ = 0;
    auto granted = message_memory(resources, peer, total_);
    if (!granted) return std::unexpected(granted.error());
    memory_ = std::move(*granted);
    charged_ = total_;
  }
  // A large length is only a claim: what it costs us grows with what really comes.
  buffer_.reserve(std::min(total_, kRetainedBytesMax));
  return {};
}

Result<ByteView> FrameReader::keep(Stream& stream, resource::Manager& resources) {
  if (in_place_ == 0) return ByteView(buffer_).subspan(prefix_);
  total_ = std::exchange(in_place_, 0);
  if (const auto charged = reserve(stream.peer(), resources); !charged) {
    return std::unexpected(charged.error());
  }
  ByteWriter(buffer_).append(stream.peek().first(total_));
  stream.consume(total_);
  return ByteView(buffer_).subspan(prefix_);
}

void FrameReader::release(Stream* stream) {
  if (in_place_ != 0) return stream->consume(std::exchange(in_place_, 0));
  total_ = kUnknown;
  buffer_.clear();
  if (buffer_.capacity() > kRetainedBytesMax || charged_ > kRetainedBytesMax) reset();
}

void FrameReader::reset() {
  in_place_ = 0;
  total_ = kUnknown;
  buffer_.clear();
  if (buffer_.capacity() > kUnchargedBytesMax) Bytes().swap(buffer_);
  memory_.release();
  charged_ = 0;
}

}  // namespace p2pa::rpc
