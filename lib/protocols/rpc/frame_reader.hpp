#pragma once
// Cuts the bytes of a stream into frames: in place when a frame lies in one piece, assembled when not.

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"
#include "resource/manager.hpp"
#include "transport/stream.hpp"

namespace p2pa::rpc {

/// Frames up to this size are put together without asking for memory: the bound on calls covers them.
inline constexpr std::size_t kUnchargedBytesMax = 1024;

class FrameReader final {
 public:
  /// The frame at the front of the stream without its length; empty while bytes are missing. The same
  /// frame again until release(). Null: the stream is gone, and what was taken out of it counts. Errors:
  /// kProtocolViolation, not a length; kMessageTooLarge, over `frame_bytes_max`; kLimitMemory, no memory for
  /// a frame in pieces.
  Result<ByteView> next(Stream* stream, resource::Manager& resources, std::size_t frame_bytes_max);
  /// Moves a frame that lies in the stream out of it, so that the stream can go on while the frame is
  /// kept. The frame, in its new place. REQUIRES next() answered a frame.
  Result<ByteView> keep(Stream& stream, resource::Manager& resources);
  /// Drops the frame that next() answered.
  void release(Stream* stream);
  /// Has a frame begun that is not complete?
  bool partial() const { return !buffer_.empty() && buffer_.size() < total_; }
  /// As new, for another stream; gives back what it reserved.
  void reset();

 private:
  Result<ByteView> assemble(Stream& stream, resource::Manager& resources, std::size_t frame_bytes_max);
  Result<void> reserve(const PeerId& peer, resource::Manager& resources);

  static constexpr std::size_t kUnknown = ~std::size_t{0};
  /// Larger buffers are given back after their frame, others kept for the stream's next one.
  static constexpr std::size_t kRetainedBytesMax = 64 * 1024;

  std::size_t in_place_ = 0;   // bytes of the frame that lies in the stream; 0: none
  std::size_t prefix_ = 0;     // bytes of its length
  std::size_t total_ = kUnknown;  // length and frame, of what buffer_ collects
  std::size_t charged_ = 0;
  Bytes buffer_;               // a frame in pieces, from its length on
  resource::Reservation memory_;
};

}  // namespace p2pa::rpc
