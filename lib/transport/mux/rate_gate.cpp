#include "transport/mux/rate_gate.hpp"

#include <algorithm>
#include <utility>

#include "transport/mux/muxed_connection.hpp"

namespace p2pa::mux {

using shaping::Claim;

RateGate::RateGate(shaping::Shaper& shaper, const MuxedConnection& connection, Host& host)
    : shaper_(shaper),
      connection_(connection),
      host_(host),
      datagrams_out_(*this, nullptr, Direction::kOutbound),
      datagrams_in_(*this, nullptr, Direction::kInbound) {}

RateGate::~RateGate() { shaper_.cancel(datagrams_out_); }

ShapedStream& RateGate::shaped(StreamState& stream) {
  if (!stream.shaped) {
    stream.shaped = std::make_unique<ShapedStream>(static_cast<shaping::Claimant&>(*this), stream);
    set_priority(stream);
  }
  return *stream.shaped;
}

/// The claim, under the limits of now.
Claim& RateGate::placed(StreamState& stream, Claim& claim) {
  if (!claim.waiting()) shaper_.place(claim, connection_.peer(), stream.protocol);
  return claim;
}

// --- sending

std::size_t RateGate::sendable(StreamState& stream) {
  const std::size_t unsent = stream.send.unsent_size();
  if (unsent == 0 || !shaper_.limits(Direction::kOutbound)) return unsent;
  return shaper_.available(placed(stream, shaped(stream).out), unsent);
}

void RateGate::wait_to_send(StreamState& stream) {
  shaper_.wait(placed(stream, shaped(stream).out), stream.send.unsent_size());
}

void RateGate::sent(StreamState& stream, std::size_t n) {
  if (n > 0 && shaper_.limits(Direction::kOutbound)) shaper_.take(placed(stream, shaped(stream).out), n);
}

void RateGate::leave_turn(StreamState& stream) {
  if (stream.shaped) shaper_.cancel(stream.shaped->out);
}

// --- receiving

bool RateGate::received(StreamState& stream, std::size_t n) {
  if (n == 0) return held(stream) == 0;
  if (!shaper_.limits(Direction::kInbound) && held(stream) == 0) return true;
  ShapedStream& shape = shaped(stream);
  shape.held += n;
  if (!shape.in.waiting()) return show(stream);
  shaper_.wait(shape.in, shape.held);  // for more
  return false;
}

/// True: there is something new to be read.
bool RateGate::show(StreamState& stream) {
  Claim& claim = placed(stream, stream.shaped->in);
  std::size_t& held = stream.shaped->held;
  const std::size_t n = shaper_.available(claim, held);
  held -= n;
  if (n > 0) shaper_.take(claim, n);
  if (held > 0) shaper_.wait(claim, held);
  return n > 0;
}

void RateGate::dropped(StreamState& stream) {
  if (!stream.shaped) return;
  stream.shaped->held = 0;
  shaper_.cancel(stream.shaped->in);
}

void RateGate::on_tokens(Claim& claim) {
  auto* const stream = static_cast<StreamState*>(claim.subject());
  if (stream == nullptr) return host_.may_send_datagrams();
  if (claim.direction() == Direction::kOutbound) return host_.may_send(*stream);
  if (show(*stream)) host_.may_read(*stream);
}

// --- what a stream is

void RateGate::set_priority(StreamState& stream) {
  if (!stream.shaped) return;
  shaper_.set_priority(stream.shaped->out, stream.priority);
  shaper_.set_priority(stream.shaped->in, stream.priority);
}

/// It falls under other limits: its claims are made anew, and what is there and not read yet is among what falls
/// under them, for most often the first bytes come in one piece with the name of the protocol.
void RateGate::set_protocol(StreamState& stream) {
  if (!stream.shaped) return;
  const auto old = std::exchange(stream.shaped, nullptr);
  const bool waited = old->out.waiting();
  shaper_.cancel(old->out);
  shaper_.cancel(old->in);
  if (waited) host_.may_send(stream);
  const std::size_t unread = stream.receive.size();
  if (!shaper_.limits(Direction::kInbound)) return;
  if (unread > old->held) shaper_.give_back(old->in, unread - old->held);
  if (unread > 0 && received(stream, unread)) host_.may_read(stream);
}

void RateGate::forget(StreamState& stream) {
  if (!stream.shaped) return;
  shaper_.cancel(stream.shaped->out);
  shaper_.cancel(stream.shaped->in);
  stream.shaped.reset();
}

// --- datagrams

bool RateGate::may_send_datagram(std::size_t size) {
  if (!shaper_.limits(Direction::kOutbound)) return true;
  if (datagrams_out_.waiting()) return false;
  shaper_.place(datagrams_out_, connection_.peer(), {});
  const std::size_t wanted = std::max<std::size_t>(size, 1);
  if (shaper_.available(datagrams_out_, wanted) > 0) return true;
  shaper_.wait(datagrams_out_, wanted);
  return false;
}

void RateGate::moved_datagram(Direction direction, std::size_t size) {
  if (!shaper_.limits(direction)) return;
  Claim& claim = direction == Direction::kOutbound ? datagrams_out_ : datagrams_in_;
  if (!claim.waiting()) shaper_.place(claim, connection_.peer(), {});
  shaper_.take(claim, size);
}

}  // namespace p2pa::mux
