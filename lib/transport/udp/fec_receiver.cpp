#include "transport/udp/fec_receiver.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace p2pa::udp {

/// Once for the session: a decoder that comes later would not know what its numbers count from.
bool FecReceiver::begin() {
  if (state_ || refused_) return state_ != nullptr;
  refused_ = !memory_.take(kBytesMax);
  if (!refused_) state_ = std::make_unique<State>();
  return !refused_;
}

Result<void> FecReceiver::receive(Instant now, ByteView packet) {
  if (!begin()) {
    const auto decoded = fec::decode_packet(packet);
    if (!decoded) return std::unexpected(decoded.error());
    const auto* source = std::get_if<fec::Source>(&*decoded);
    plain_ = source != nullptr ? std::optional(source->body) : std::nullopt;
    return {};
  }
  if (fec::is_repair(packet) && ++repairs_ > kRepairsPerPacketMax) return {};
  const std::uint64_t known = state_->decoder.end();
  if (const auto received = state_->decoder.receive(packet); !received) return received;
  const std::uint64_t end = state_->decoder.end();
  for (std::uint64_t n = std::max(known, end - std::min<std::uint64_t>(end, fec::Decoder::kSpan)); n < end; ++n) {
    state_->named[n % fec::Decoder::kSpan] = now;
  }
  return {};
}

std::optional<FecReceiver::Body> FecReceiver::poll() {
  if (!state_) {
    const auto plain = std::exchange(plain_, std::nullopt);
    return plain ? std::optional(Body{*plain}) : std::nullopt;
  }
  const auto known = state_->decoder.poll();
  if (!known) return std::nullopt;
  return Body{known->body, known->arrived ? kNever : state_->named[known->number % fec::Decoder::kSpan]};
}

void FecReceiver::clear() {
  if (state_) memory_.give_back(kBytesMax);
  state_.reset();
  plain_.reset();
}

}  // namespace p2pa::udp
