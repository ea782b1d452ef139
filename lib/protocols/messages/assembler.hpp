#pragma once
// The receiving end of a channel: datagrams in, messages out.

#include <functional>

#include "fec/decoder.hpp"
#include "p2pagents/bytes.hpp"
#include "protocols/messages/messages_codec.hpp"

namespace p2pa::messages {

/// A pure machine. What it holds is the decoder's; a message whose pieces are not all there when the
/// decoder gives the first one up is lost.
class Assembler final {
 public:
  static constexpr std::size_t kBytesMax = fec::Decoder::kBytesMax;

  /// Takes a packet of the code and hands out the messages that are whole with it; a message is valid
  /// during the call. What is none is dropped: from whom a datagram came is known, so it is the peer's loss.
  void receive(ByteView packet, const std::function<void(ByteView)>& deliver);

  const fec::LossReport& report() const { return decoder_.report(); }
  std::uint64_t recovered() const { return decoder_.recovered(); }

 private:
  /// The message that this piece completes, in `joined_` or where the piece is; false: it does not.
  bool complete(std::uint64_t number, const Piece& piece, ByteView& message);

  fec::Decoder decoder_;
  Bytes joined_;
};

}  // namespace p2pa::messages
