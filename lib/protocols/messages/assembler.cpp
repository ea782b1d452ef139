#include "protocols/messages/assembler.hpp"

#include "base/byte_writer.hpp"

namespace p2pa::messages {

void Assembler::receive(ByteView packet, const std::function<void(ByteView)>& deliver) {
  if (!decoder_.receive(packet)) return;
  while (const auto known = decoder_.poll()) {
    const auto piece = decode_piece(known->body);
    ByteView message;
    if (piece && complete(known->number, *piece, message)) deliver(message);
  }
}

/// Each body is polled once, and only what was polled counts: so a message is whole with exactly one of
/// its pieces, the last one.
bool Assembler::complete(std::uint64_t number, const Piece& piece, ByteView& message) {
  message = piece.payload;
  if (piece.count == 1) return true;
  if (number < piece.index) return false;
  const std::uint64_t first = number - piece.index;
  joined_.clear();
  ByteWriter writer(joined_);
  for (std::uint8_t i = 0; i < piece.count; ++i) {
    const auto body = decoder_.body(first + i);
    if (!body) return false;
    const auto other = decode_piece(*body);
    if (!other || other->index != i || other->count != piece.count) return false;
    writer.append(other->payload);
  }
  message = joined_;
  return true;
}

}  // namespace p2pa::messages
