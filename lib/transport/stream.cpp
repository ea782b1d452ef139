#include "transport/stream.hpp"

namespace p2pa {

void Stream::join_class() {
  connection_->set_priority(id_, handler_->priority());
  connection_->set_protocol(id_, protocol());
}

ByteView Stream::peek() const {
  return negotiation_.agreed() ? connection_->peek(id_) : ByteView{};
}

bool Stream::at_end() const { return negotiation_.agreed() && connection_->at_end(id_); }

Result<void> Stream::propose(std::string_view protocol, Bytes& scratch) {
  scratch.clear();
  negotiation_.propose(protocol, scratch);
  const auto taken = write(scratch);
  if (!taken) return std::unexpected(taken.error());
  if (*taken != scratch.size()) return fail(Code::kLimitMemory, "no memory for a proposal");
  return {};
}

Result<bool> Stream::negotiate(const multistream::Negotiation::Known& known, Bytes& scratch) {
  scratch.clear();
  Result<void> advanced = advance_negotiation(known, scratch);
  // A peer that stopped reading may still have a request for us: only a short write is an error.
  const auto taken = scratch.empty() ? Result<std::size_t>(0) : write(scratch);
  if (advanced && taken && *taken != scratch.size()) {
    advanced = fail(Code::kNegotiation, "no room for an answer");
  }
  if (advanced) return negotiation_.agreed();
  if (negotiation_.refused()) {
    // What follows a refused proposal is what the peer said too early; it shall read our `na`.
    finish();
    stop(wire_code::kStreamNegotiationFailed);
  } else {
    reset(wire_code::kStreamNegotiationFailed);
  }
  return std::unexpected(advanced.error());
}

Result<void> Stream::advance_negotiation(const multistream::Negotiation::Known& known, Bytes& scratch) {
  while (!negotiation_.agreed()) {
    const ByteView arrived = connection_->peek(id_);
    if (arrived.empty()) break;
    const auto progress = negotiation_.advance(arrived, known, scratch);
    if (!progress) return std::unexpected(progress.error());
    consume(progress->consumed);
  }
  if (!negotiation_.agreed() && connection_->at_end(id_)) {
    return fail(Code::kNegotiation, "the stream ended before a protocol was agreed");
  }
  return {};
}

}  // namespace p2pa
