#pragma once
// Messages in a stream of bytes: a varint length, then the message. libp2p's protocols and ours share it.

#include <cstddef>
#include <cstdint>
#include <optional>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa::wire {

/// Writes the length alone; the message follows. REQUIRES size < 2^63.
void append_frame_header(Bytes& out, std::size_t size);
void append_frame(Bytes& out, ByteView message);

/// Cuts a stream into frames. Bytes go in as they arrive; a frame that lies whole in them comes out as a
/// view into them, and only one that is split is put together in a buffer. The buffer grows with what has
/// arrived, never with what the length promises.
class FrameReader {
 public:
  /// Longer frames are refused.
  explicit FrameReader(std::size_t frame_bytes_max) : max_(frame_bytes_max) {}

  struct Step {
    std::size_t consumed = 0;       ///< of `in`
    std::optional<ByteView> frame;  ///< valid until the next call, and while `in` is
  };
  /// Takes from `in` until one frame is whole; without one, all of `in` is consumed. An empty frame is a
  /// frame. kMessageTooLarge: detail is the bound. kMalformed: bad length. The stream is of no use after
  /// either, and every further call answers the same.
  Result<Step> next(ByteView in);

  /// Is a frame begun and not complete? At the end of the stream that is kTruncated.
  bool partial() const { return !held_.empty() && !delivered_; }

 private:
  struct Head {
    std::size_t prefix, body;
  };
  Result<std::optional<Head>> read_head(ByteView bytes) const;
  Result<Step> next_in_place(ByteView in);
  Result<Step> next_joined(ByteView in);
  void drop_delivered();

  std::size_t max_;
  Bytes held_;              // the beginning of a frame, its length included
  bool delivered_ = false;  // held_ is a frame that was given out
  std::optional<Error> broken_;
};

}  // namespace p2pa::wire
