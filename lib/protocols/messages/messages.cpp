#include "protocols/messages/messages.hpp"

#include <utility>

#include "base/byte_reader.hpp"

namespace p2pa::messages {

Messages::Messages(StreamOpener& opener, Rng& rng, resource::Manager& resources, const Instant& now,
                   Deliver deliver)
    : opener_(opener), rng_(rng), resources_(resources), now_(now), deliver_(std::move(deliver)) {}

// --- the sender

void Messages::open(const PeerId& peer, const MessageChannelOptions& options, MessageChannelCallback opened) {
  const std::uint64_t id = next_id_++;
  outbound_.emplace(id, std::make_unique<Outbound>(id, peer, options, timers_, now_, std::move(opened)));
  opener_.open_stream(peer, kProtocolId, *this, id, {});
}

void Messages::give_up(Outbounds::iterator it, Stream& stream, const Error& why, std::uint64_t code) {
  stream.reset(code);
  stream.set_tag(0);
  const auto gone = outbound_.extract(it);
  gone.mapped()->end(why);
}

void Messages::on_stream_failed(Instant, std::uint64_t tag, const Error& why) {
  if (const auto gone = outbound_.extract(tag)) gone.mapped()->end(why);
}

// --- the receiver

bool Messages::take(Connection& connection, ByteView datagram) {
  if (routes_.empty()) return false;
  ByteReader reader(datagram);
  const auto tag = reader.big_endian<std::uint32_t>();
  if (!tag) return false;
  const auto route = routes_.find({connection.id(), *tag});
  if (route == routes_.end()) return false;
  Inbound& inbound = inbound_.at(route->second);
  if (!inbound.report_due) {
    inbound.report_due = true;
    timers_.set(route->second, now_ + kReportInterval);
  }
  inbound.assembler->receive(reader.rest(), [&](ByteView message) { deliver_(connection.peer(), message); });
  return true;
}

Result<void> Messages::read(Inbounds::iterator it) {
  Inbound& inbound = it->second;
  Stream& stream = *inbound.stream;
  for (ByteView here = stream.peek(); !here.empty(); here = stream.peek()) {
    const auto step = inbound.frames.next(here);
    if (!step) return std::unexpected(step.error());
    if (step->frame) {
      const auto hello = decode_hello(*step->frame);
      if (!hello) return std::unexpected(hello.error());
      if (const auto accepted = accept(it, *hello); !accepted) return accepted;
    }
    stream.consume(step->consumed);
  }
  if (stream.at_end()) stream.finish();
  return {};
}

Result<void> Messages::accept(Inbounds::iterator it, const Hello& hello) {
  Inbound& inbound = it->second;
  if (inbound.assembler) return fail(Code::kProtocolViolation, "messages: a second hello");
  const Route route{inbound.stream->connection().id(), hello.tag};
  if (routes_.contains(route)) return fail(Code::kProtocolViolation, "messages: the tag is taken");
  auto memory = resources_.memory(inbound.stream->peer(), Assembler::kBytesMax);
  if (!memory) return std::unexpected(memory.error());
  inbound.memory = std::move(*memory);
  inbound.assembler = std::make_unique<Assembler>();
  inbound.route = route;
  routes_.emplace(route, it->first);
  timers_.cancel(it->first);
  report(inbound);  // the answer: from now on the tag is known
  return {};
}

void Messages::report(Inbound& inbound) {
  inbound.told = inbound.assembler->report();
  Bytes frame;
  append_frame(frame, inbound.told);
  if (inbound.stream->writable() >= frame.size()) static_cast<void>(inbound.stream->write(frame));
}

void Messages::on_deadline_of(Inbounds::iterator it) {
  Inbound& inbound = it->second;
  if (!inbound.assembler) return refuse(it, wire_code::kStreamGarbageCollected);
  inbound.report_due = false;
  if (inbound.assembler->report() != inbound.told) report(inbound);
}

void Messages::refuse(Inbounds::iterator it, std::uint64_t code) {
  it->second.stream->reset(code);
  it->second.stream->set_tag(0);
  forget(it);
}

void Messages::forget(Inbounds::iterator it) {
  timers_.cancel(it->first);
  if (it->second.assembler) routes_.erase(it->second.route);
  const auto count = inbound_count_.find(it->second.stream->peer());
  if (--count->second == 0) inbound_count_.erase(count);
  inbound_.erase(it);
}

// --- both

void Messages::on_stream_open(Instant now, Stream& stream) {
  if (stream.outbound()) {
    timers_.set(stream.tag(), now + kOpenTimeout);
    const auto it = outbound_.find(stream.tag());
    const auto greeted = it->second->greet(stream, static_cast<std::uint32_t>(rng_.next_u64()), resources_);
    if (!greeted) give_up(it, stream, greeted.error(), wire_code::kNone);
    return;
  }
  std::uint32_t& count = inbound_count_[stream.peer()];
  if (count == kInboundPerPeerMax) return stream.reset(wire_code::kStreamResourceLimit);
  ++count;
  const std::uint64_t id = next_id_++;
  stream.set_tag(id);
  Inbound inbound{.stream = &stream};
  inbound_.emplace(id, std::move(inbound));
  timers_.set(id, now + kOpenTimeout);
}

void Messages::on_readable(Instant, Stream& stream) {
  if (const auto it = outbound_.find(stream.tag()); it != outbound_.end()) {
    const auto heard = it->second->read();
    if (!heard) give_up(it, stream, heard.error(), wire_code::kStreamProtocolViolation);
    return;
  }
  const auto it = inbound_.find(stream.tag());
  if (it == inbound_.end()) return;
  const auto heard = read(it);
  if (heard) return;
  const bool full = heard.error().code == Code::kLimitMemory || heard.error().code == Code::kLimitPeer ||
                    heard.error().code == Code::kLimitIp;
  refuse(it, full ? wire_code::kStreamResourceLimit : wire_code::kStreamProtocolViolation);
}

void Messages::on_stream_closed(Instant, Stream& stream, const Error& why) {
  if (const auto gone = outbound_.extract(stream.tag())) return gone.mapped()->end(why);
  if (const auto it = inbound_.find(stream.tag()); it != inbound_.end()) forget(it);
}

void Messages::on_deadline(Instant now) {
  while (const auto id = timers_.pop_due(now)) {
    if (const auto it = outbound_.find(*id); it != outbound_.end()) {
      if (Stream* stream = it->second->unanswered()) {
        give_up(it, *stream, {Code::kTimeout, 0, "messages: no answer in time"},
                wire_code::kStreamGarbageCollected);
      } else {
        it->second->on_deadline();
      }
    } else if (const auto inbound = inbound_.find(*id); inbound != inbound_.end()) {
      on_deadline_of(inbound);
    }
  }
}

}  // namespace p2pa::messages
