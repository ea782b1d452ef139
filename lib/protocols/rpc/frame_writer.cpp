#include "protocols/rpc/frame_writer.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/byte_writer.hpp"
#include "protocols/rpc/frame_reader.hpp"
#include "protocols/rpc/message_memory.hpp"

namespace p2pa::rpc {

namespace {

/// Up to here it is cheaper to copy a payload behind its head than to write twice.
constexpr std::size_t kOneWriteBytesMax = 2048;

}  // namespace

Result<void> FrameWriter::put(Stream* stream, const PeerId& peer, resource::Manager& resources,
                              Bytes& head, ByteView payload) {
  if (stopped_) return {};
  const std::size_t total = head.size() + payload.size();
  const bool direct = stream != nullptr && kept() == 0;
  std::size_t room = direct ? std::min(total, stream->writable()) : 0;
  for (;;) {
    if (const auto granted = reserve(peer, resources, kept() + total - room); !granted) {
      if (kept() == 0) give_back();  // what an earlier round reserved would be missing to who waits for it
      return granted;
    }
    // What was reserved here may be what the stream counted on.
    const std::size_t left = direct ? std::min(room, stream->writable()) : 0;
    if (left == room) break;
    room = left;
  }
  ByteView first = head;
  ByteView second = payload;
  if (total <= kOneWriteBytesMax) {
    ByteWriter(head).append(payload);
    first = head;
    second = {};
  }
  if (direct) {
    first = write(*stream, first);
    if (first.empty()) second = write(*stream, second);
    if (stopped_) return {};
  }
  ByteWriter(bytes_).append(first);
  ByteWriter(bytes_).append(second);
  if (kept() == 0) clear();
  return {};
}

void FrameWriter::open(Stream& stream, Bytes& head) {
  if (head.size() + kept() <= kOneWriteBytesMax) {
    ByteWriter(head).append(bytes_);
    clear();
  }
  const ByteView rest = write(stream, head);
  bytes_.insert(bytes_.begin(), rest.begin(), rest.end());
  flush(stream);
}

void FrameWriter::flush(Stream& stream) {
  if (kept() == 0) return;
  const ByteView rest = write(stream, ByteView(bytes_).subspan(taken_));
  taken_ = bytes_.size() - rest.size();
  if (rest.empty()) clear();
}

void FrameWriter::stop() {
  stopped_ = true;
  clear();
}

void FrameWriter::reset() {
  stopped_ = false;
  taken_ = 0;
  bytes_.clear();
  if (bytes_.capacity() > kUnchargedBytesMax) Bytes().swap(bytes_);
  memory_.release();
  charged_ = 0;
}

Result<void> FrameWriter::reserve(const PeerId& peer, resource::Manager& resources, std::size_t bytes) {
  if (bytes <= std::max(charged_, kUnchargedBytesMax)) return {};
  auto granted = message_memory(resources, peer, bytes);
  if (!granted) return std::unexpected(granted.error());
  memory_ = std::move(*granted);
  charged_ = bytes;
  return {};
}

ByteView FrameWriter::write(Stream& stream, ByteView bytes) {
  if (bytes.empty()) return {};
  const auto taken = stream.write(bytes);
  if (taken) return bytes.subspan(*taken);
  // A full buffer or too little memory is a short write. This is the end: the peer wants no more, or the
  // connection is closed and says so next.
  P2PA_ASSERT(taken.error().code == Code::kStreamFinished || taken.error().code == Code::kClosed);
  stop();
  return {};
}

void FrameWriter::clear() {
  taken_ = 0;
  bytes_.clear();
  if (bytes_.capacity() > kRetainedBytesMax || charged_ > kRetainedBytesMax) give_back();
}

void FrameWriter::give_back() {
  Bytes().swap(bytes_);
  memory_.release();
  charged_ = 0;
}

}  // namespace p2pa::rpc
