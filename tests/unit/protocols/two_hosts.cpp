#include "two_hosts.hpp"

#include <algorithm>
#include <utility>

namespace p2pa::test {

KeyPair key_of(std::uint8_t seed) {
  const Bytes bytes(KeyPair::kSeedSize, seed);
  return KeyPair::from_seed(bytes);
}

// --- Host

void Host::add(Protocol& protocol) {
  protocols_.push_back(&protocol);
  for (const std::string& id : protocol.protocol_ids()) handlers_[id] = &protocol;
}

void Host::open_stream(const PeerId&, std::string_view protocol, StreamHandler& handler,
                       std::uint64_t tag, OpenStreamOptions options) {
  ++opens_count;
  opened_with.push_back(options);
  opens_.push_back({std::string(protocol), &handler, tag});
}

Stream& Host::adopt(StreamId id) {
  auto& slot = streams_[id];
  slot = std::make_unique<Stream>(connection(), id);
  connection().set_context(id, slot.get());
  return *slot;
}

Stream& Host::open_raw(std::string_view protocol, StreamHandler& handler, std::uint64_t tag) {
  Stream& stream = adopt(*connection().open_stream(false));
  stream.set_handler(&handler);
  stream.set_tag(tag);
  (void)stream.propose(protocol, scratch_);
  handler.on_stream_open(now_, stream);
  return stream;
}

bool Host::turn(Instant now) {
  now_ = now;
  bool worked = false;
  for (Open& open : std::exchange(opens_, {})) {
    worked = true;
    if (refuse_opens.code != Code::kOk) {
      open.handler->on_stream_failed(now, open.tag, refuse_opens);
    } else {
      open_raw(open.protocol, *open.handler, open.tag);
    }
  }
  ConnectionEvent event;
  while (pair_.poll_event(side_, event)) {
    worked = true;
    handle(now, event);
  }
  for (Protocol* protocol : protocols_) {
    if (!protocol->has_work()) continue;
    worked = true;
    protocol->on_turn(now);
  }
  return worked;
}

void Host::handle(Instant now, const ConnectionEvent& event) {
  using Kind = ConnectionEvent::Kind;
  auto* stream = static_cast<Stream*>(event.context);
  switch (event.kind) {
    case Kind::kEstablished:
      for (Protocol* protocol : protocols_) protocol->on_connected(now, connection());
      return;
    case Kind::kClosed:
      while (!streams_.empty()) end_stream(now, *streams_.begin()->second, event.error);
      for (Protocol* protocol : protocols_) protocol->on_disconnected(now, connection(), event.error);
      return;
    case Kind::kStreamOpened: adopt(event.stream).listen(); return;
    default: break;
  }
  if (stream == nullptr) return;
  StreamHandler* handler = stream->handler();
  switch (event.kind) {
    case Kind::kReadable: return on_readable(now, *stream);
    case Kind::kWritable:
      if (handler != nullptr) handler->on_writable(now, *stream);
      return;
    case Kind::kStreamStopped:
      if (handler != nullptr) handler->on_stopped(now, *stream, event.code);
      return;
    case Kind::kStreamReset:
      stream->reset(event.code);
      return end_stream(now, *stream, {Code::kStreamReset, event.code, "the peer reset the stream"});
    case Kind::kStreamClosed: return end_stream(now, *stream, {Code::kOk, 0, ""});
    default: return;
  }
}

void Host::on_readable(Instant now, Stream& stream) {
  if (!stream.negotiation().agreed()) {
    const auto known = [this](std::string_view id) { return handlers_.contains(id); };
    const auto agreed = stream.negotiate(known, scratch_);
    if (!agreed) return end_stream(now, stream, agreed.error());
    if (!*agreed) return;
    if (!stream.outbound()) {
      stream.set_handler(handlers_.find(stream.protocol())->second);
      stream.handler()->on_stream_open(now, stream);
    }
    if (stream.peek().empty() && !stream.at_end()) return;
  }
  stream.handler()->on_readable(now, stream);
}

void Host::end_stream(Instant now, Stream& stream, const Error& why) {
  const auto it = streams_.find(stream.id());
  connection().set_context(stream.id(), nullptr);
  const auto keep = std::move(it->second);
  streams_.erase(it);
  if (stream.handler() != nullptr) stream.handler()->on_stream_closed(now, stream, why);
}

Instant Host::next_deadline() const {
  Instant next = kNever;
  for (const Protocol* protocol : protocols_) next = std::min(next, protocol->next_deadline());
  return next;
}

void Host::on_deadline(Instant now) {
  for (Protocol* protocol : protocols_) {
    if (protocol->next_deadline() <= now) protocol->on_deadline(now);
  }
}

// --- TwoHosts

TwoHosts::TwoHosts(memory::Config config)
    : dialer_id(key_of(1).peer_id()),
      listener_id(key_of(2).peer_id()),
      pair(config, dialer_id, listener_id),
      dialer(pair, memory::Pair::kDialer),
      listener(pair, memory::Pair::kListener) {}

void TwoHosts::work() {
  for (bool worked = true; worked;) {
    pair.advance(now);
    dialer.on_deadline(now);
    listener.on_deadline(now);
    worked = dialer.turn(now);
    worked = listener.turn(now) || worked || pair.next_deadline() <= now;
  }
}

bool TwoHosts::run_until(const std::function<bool()>& done, Duration limit) {
  const Instant end = now + limit;
  for (;;) {
    work();
    if (done()) return true;
    const Instant next = std::min({pair.next_deadline(), dialer.next_deadline(), listener.next_deadline()});
    if (next > end) break;
    now = std::max(now, next);
  }
  now = end;
  return false;
}

void TwoHosts::run_for(Duration duration) {
  run_until([] { return false; }, duration);
}

// --- RawPeer

void RawPeer::on_readable(Instant, Stream& s) {
  while (reads && !s.peek().empty()) {
    const ByteView here = s.peek();
    received.insert(received.end(), here.begin(), here.end());
    s.consume(here.size());
  }
  at_end = at_end || s.at_end();
}

}  // namespace p2pa::test
