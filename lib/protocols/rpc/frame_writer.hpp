#pragma once
// Puts frames on a stream, and keeps the rest of the one that did not fit.

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"
#include "resource/manager.hpp"
#include "transport/stream.hpp"

namespace p2pa::rpc {

class FrameWriter final {
 public:
  /// Takes head and payload whole, or nothing. `stream` null: not open yet, all of it is kept.
  /// `head` is used as scratch. kLimitMemory: no memory for what must be kept.
  Result<void> put(Stream* stream, const PeerId& peer, resource::Manager& resources, Bytes& head,
                   ByteView payload);
  /// The stream is open: `head` goes first, then what was kept.
  void open(Stream& stream, Bytes& head);
  /// Writes what was kept, as far as the stream takes it.
  void flush(Stream& stream);

  /// Bytes that the stream did not take yet.
  std::size_t kept() const { return bytes_.size() - taken_; }
  /// The peer reads no more; what was kept is dropped, and what is put vanishes.
  bool stopped() const { return stopped_; }
  void stop();
  /// As new, for another stream; gives back what it reserved.
  void reset();

 private:
  Result<void> reserve(const PeerId& peer, resource::Manager& resources, std::size_t bytes);
  /// What the stream did not take of `bytes`.
  ByteView write(Stream& stream, ByteView bytes);
  void clear();
  /// REQUIRES: nothing is kept.
  void give_back();

  /// Larger buffers are given back when they are empty.
  static constexpr std::size_t kRetainedBytesMax = 64 * 1024;

  Bytes bytes_;
  std::size_t taken_ = 0;  // of bytes_, by the stream
  std::size_t charged_ = 0;
  bool stopped_ = false;
  resource::Reservation memory_;
};

}  // namespace p2pa::rpc
