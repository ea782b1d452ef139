#pragma once
// Two hosts on one connection in memory: just enough of a swarm to run real protocols over real streams
// in virtual time.

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "p2pagents/key_pair.hpp"
#include "transport/memory/pair.hpp"
#include "transport/stream.hpp"

namespace p2pa::test {

KeyPair key_of(std::uint8_t seed);

/// One end of the connection with its protocols.
class Host final : public StreamOpener {
 public:
  Host(memory::Pair& pair, memory::Pair::Side side) : pair_(pair), side_(side) {}

  void add(Protocol& protocol);
  Connection& connection() { return pair_.end(side_); }
  void open_stream(const PeerId& peer, std::string_view protocol, StreamHandler& handler,
                   std::uint64_t tag, OpenStreamOptions options) override;

  /// A stream without a protocol of ours: what a peer of another make might do on it.
  /// REQUIRES that the connection opens it.
  Stream& open_raw(std::string_view protocol, StreamHandler& handler, std::uint64_t tag = 0);

  /// Hands out what happened; false when nothing had.
  bool turn(Instant now);
  Instant next_deadline() const;
  void on_deadline(Instant now);

  std::size_t streams_count() const { return streams_.size(); }
  std::size_t opens_count = 0;
  std::vector<OpenStreamOptions> opened_with;
  std::function<void(ByteView)> on_datagram;
  /// open_stream() fails with this when it is set.
  Error refuse_opens{Code::kOk, 0, ""};

 private:
  struct Open {
    std::string protocol;
    StreamHandler* handler;
    std::uint64_t tag;
  };
  void handle(Instant now, const ConnectionEvent& event);
  void on_readable(Instant now, Stream& stream);
  void end_stream(Instant now, Stream& stream, const Error& why);
  Stream& adopt(StreamId id);
  Stream& begin(StreamId id, std::string_view protocol, StreamHandler& handler, std::uint64_t tag);

  memory::Pair& pair_;
  const memory::Pair::Side side_;
  std::vector<Protocol*> protocols_;
  std::map<std::string, StreamHandler*, std::less<>> handlers_;
  std::map<StreamId, std::unique_ptr<Stream>> streams_;
  std::vector<Open> opens_;
  Bytes scratch_;
  Instant now_{};
};

/// The two hosts, their clock, and nothing else.
class TwoHosts final {
 public:
  explicit TwoHosts(memory::Config config = {});

  /// Works off what is due now, and then until `done` or `limit` of virtual time is over, whichever is
  /// first. Says whether it was `done`.
  bool run_until(const std::function<bool()>& done, Duration limit = seconds(60));
  void run_for(Duration duration);
  /// Until nothing moves any more but timers.
  void settle() { run_for(seconds(1)); }

  PeerId dialer_id, listener_id;
  Instant now{1'000'000'000};
  memory::Pair pair;
  Host dialer, listener;

 private:
  void work();
};

/// A handler that only remembers; what a hand-made peer writes is up to the test.
class RawPeer final : public StreamHandler {
 public:
  void on_stream_open(Instant, Stream& s) override { stream = &s; }
  void on_stream_failed(Instant, std::uint64_t, const Error& why) override { closed = why; }
  void on_readable(Instant now, Stream& s) override;
  void on_writable(Instant, Stream&) override { ++writable; }
  void on_stopped(Instant, Stream&, std::uint64_t code) override { stopped = code; }
  void on_stream_closed(Instant, Stream&, const Error& why) override {
    stream = nullptr;
    closed = why;
  }

  Stream* stream = nullptr;
  bool reads = true;
  Bytes received;
  bool at_end = false;
  int writable = 0;
  std::optional<std::uint64_t> stopped;
  std::optional<Error> closed;
};

inline KeyPair key_of(std::uint8_t seed) {
  const Bytes bytes(KeyPair::kSeedSize, seed);
  return KeyPair::from_seed(bytes);
}

// --- Host

inline void Host::add(Protocol& protocol) {
  protocols_.push_back(&protocol);
  for (const std::string& id : protocol.protocol_ids()) handlers_[id] = &protocol;
}

inline void Host::open_stream(const PeerId&, std::string_view protocol, StreamHandler& handler,
                       std::uint64_t tag, OpenStreamOptions options) {
  ++opens_count;
  opened_with.push_back(options);
  opens_.push_back({std::string(protocol), &handler, tag});
}

inline Stream& Host::adopt(StreamId id) {
  auto& slot = streams_[id];
  slot = std::make_unique<Stream>(connection(), id);
  connection().set_context(id, slot.get());
  return *slot;
}

inline Stream& Host::open_raw(std::string_view protocol, StreamHandler& handler, std::uint64_t tag) {
  return begin(connection().open_stream(false).value(), protocol, handler, tag);
}

inline Stream& Host::begin(StreamId id, std::string_view protocol, StreamHandler& handler,
                           std::uint64_t tag) {
  Stream& stream = adopt(id);
  stream.set_handler(&handler);
  stream.set_tag(tag);
  (void)stream.propose(protocol, scratch_);
  handler.on_stream_open(now_, stream);
  return stream;
}

inline bool Host::turn(Instant now) {
  now_ = now;
  bool worked = false;
  for (Open& open : std::exchange(opens_, {})) {
    worked = true;
    const auto id = refuse_opens.code != Code::kOk ? std::unexpected(refuse_opens)
                                                   : connection().open_stream(false);
    if (id) {
      begin(*id, open.protocol, *open.handler, open.tag);
    } else {
      open.handler->on_stream_failed(now, open.tag, id.error());
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

inline void Host::handle(Instant now, const ConnectionEvent& event) {
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
    case Kind::kDatagram:
      if (on_datagram) on_datagram(event.datagram);
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

inline void Host::on_readable(Instant now, Stream& stream) {
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

inline void Host::end_stream(Instant now, Stream& stream, const Error& why) {
  const auto it = streams_.find(stream.id());
  connection().set_context(stream.id(), nullptr);
  const auto keep = std::move(it->second);
  streams_.erase(it);
  if (stream.handler() != nullptr) stream.handler()->on_stream_closed(now, stream, why);
}

inline Instant Host::next_deadline() const {
  Instant next = kNever;
  for (const Protocol* protocol : protocols_) next = std::min(next, protocol->next_deadline());
  return next;
}

inline void Host::on_deadline(Instant now) {
  for (Protocol* protocol : protocols_) {
    if (protocol->next_deadline() <= now) protocol->on_deadline(now);
  }
}

// --- TwoHosts

inline TwoHosts::TwoHosts(memory::Config config)
    : dialer_id(key_of(1).peer_id()),
      listener_id(key_of(2).peer_id()),
      pair(config, dialer_id, listener_id),
      dialer(pair, memory::Pair::kDialer),
      listener(pair, memory::Pair::kListener) {}

inline void TwoHosts::work() {
  for (bool worked = true; worked;) {
    pair.advance(now);
    dialer.on_deadline(now);
    listener.on_deadline(now);
    worked = dialer.turn(now);
    worked = listener.turn(now) || worked || pair.next_deadline() <= now;
  }
}

inline bool TwoHosts::run_until(const std::function<bool()>& done, Duration limit) {
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

inline void TwoHosts::run_for(Duration duration) {
  run_until([] { return false; }, duration);
}

// --- RawPeer

inline void RawPeer::on_readable(Instant, Stream& s) {
  while (reads && !s.peek().empty()) {
    const ByteView here = s.peek();
    received.insert(received.end(), here.begin(), here.end());
    s.consume(here.size());
  }
  at_end = at_end || s.at_end();
}

}  // namespace p2pa::test
