#include "protocols/ping/ping.hpp"

#include <algorithm>
#include <utility>

namespace p2pa::ping {

namespace {

/// Marks inbound streams that were counted.
constexpr std::uint64_t kCounted = 1;

}  // namespace

void Ping::ping(Instant now, const PeerId& peer, PingCallback done) {
  const auto it = clients_.try_emplace(peer).first;
  Client& client = it->second;
  if (client.waiting.size() >= kWaitingMax) return refused_.push_back(std::move(done));
  client.waiting.push_back(std::move(done));
  if (client.waiting.size() > 1) return;
  if (client.stream != nullptr) return send(now, it);
  timers_.set(peer, now + kTimeout);
  if (client.tag == 0) open(peer, client);
}

void Ping::on_turn(Instant) {
  for (PingCallback& done : std::exchange(refused_, {})) {
    done(fail(Code::kRateLimited, "too many pings wait for this peer", kWaitingMax));
  }
}

Ping::Clients::iterator Ping::find(const PeerId& peer, std::uint64_t tag) {
  const auto it = clients_.find(peer);
  return it != clients_.end() && it->second.tag == tag ? it : clients_.end();
}

// --- asking

void Ping::open(const PeerId& peer, Client& client) {
  client.tag = next_tag_++;
  OpenStreamOptions options;
  options.replay_safe = true;
  opener_.open_stream(peer, kProtocolId, *this, client.tag, options);
}

void Ping::send(Instant now, Clients::iterator it) {
  Client& client = it->second;
  rng_.fill(client.payload);
  client.matched = 0;
  client.on_the_way = true;
  client.sent = now;
  timers_.set(it->first, now + kTimeout);
  // Between two pings the stream is empty, so that it takes 32 bytes; if it does not, time runs out.
  static_cast<void>(client.stream->write(client.payload));
}

void Ping::receive(Instant now, Clients::iterator it) {
  Stream& stream = *it->second.stream;
  for (;;) {
    Client& client = it->second;
    const ByteView here = stream.peek();
    if (here.empty()) break;
    const std::size_t n = client.on_the_way ? std::min(here.size(), kPayloadSize - client.matched) : 0;
    const auto expected = client.payload.begin() + static_cast<std::ptrdiff_t>(client.matched);
    if (n == 0 || !std::equal(here.begin(), here.begin() + static_cast<std::ptrdiff_t>(n), expected)) {
      stream.reset(wire_code::kStreamProtocolViolation);
      return give_up(it, {Code::kProtocolViolation, 0, "ping: other bytes came back"});
    }
    stream.consume(n);
    client.matched += n;
    if (client.matched == kPayloadSize) {
      client.on_the_way = false;
      answer(now, it, now - client.sent);
    }
  }
  if (!stream.at_end()) return;
  stream.finish();
  give_up(it, {Code::kTruncated, 0, "ping: the peer ended the stream"});
}

void Ping::answer(Instant now, Clients::iterator it, Result<Duration> result) {
  Client& client = it->second;
  PingCallback done = std::move(client.waiting.front());
  client.waiting.pop_front();
  if (client.waiting.empty()) {
    timers_.set(it->first, now + kIdleTimeout);
  } else {
    send(now, it);
  }
  done(std::move(result));
}

void Ping::give_up(Clients::iterator it, const Error& why) {
  Client& client = it->second;
  if (client.stream != nullptr) client.stream->set_tag(0);
  // One failure answers all: they would all have used this stream.
  auto waiting = std::exchange(client.waiting, {});
  timers_.cancel(it->first);
  clients_.erase(it);
  for (PingCallback& done : waiting) done(std::unexpected(why));
}

void Ping::on_deadline(Instant now) {
  while (const auto peer = timers_.pop_due(now)) {
    const auto it = clients_.find(*peer);
    Stream* stream = it->second.stream;
    if (stream != nullptr && it->second.waiting.empty()) stream->finish();
    if (stream != nullptr && !it->second.waiting.empty()) stream->reset(wire_code::kStreamGarbageCollected);
    give_up(it, {Code::kTimeout, 0, "no answer to a ping in time"});
  }
}

// --- answering

void Ping::echo(Stream& stream) {
  for (;;) {
    const ByteView here = stream.peek();
    const std::size_t n = std::min(here.size(), std::max<std::size_t>(stream.writable(), 1));
    if (n == 0) break;
    const auto taken = stream.write(here.first(n));
    if (!taken || *taken == 0) return;  // on_writable follows, or the peer reads no more
    stream.consume(*taken);
  }
  if (stream.at_end()) stream.finish();
}

// --- streams

void Ping::on_stream_open(Instant now, Stream& stream) {
  if (stream.outbound()) {
    const auto it = find(stream.peer(), stream.tag());
    if (it == clients_.end()) {  // nobody waits any more
      stream.set_tag(0);
      return stream.finish();
    }
    it->second.stream = &stream;
    return send(now, it);
  }
  std::uint32_t& count = inbound_[stream.peer()];
  if (count == kInboundPerPeerMax) return stream.reset(wire_code::kStreamResourceLimit);
  ++count;
  stream.set_tag(kCounted);
}

void Ping::on_stream_failed(Instant, std::uint64_t tag, const Error& why) {
  const auto it = std::ranges::find_if(clients_, [&](const auto& c) { return c.second.tag == tag; });
  if (it != clients_.end()) give_up(it, why);
}

void Ping::on_readable(Instant now, Stream& stream) {
  if (!stream.outbound()) return echo(stream);
  const auto it = find(stream.peer(), stream.tag());
  if (it != clients_.end()) receive(now, it);
}

void Ping::on_writable(Instant, Stream& stream) {
  if (!stream.outbound()) echo(stream);
}

void Ping::on_stream_closed(Instant, Stream& stream, const Error& why) {
  if (stream.outbound()) {
    const auto it = find(stream.peer(), stream.tag());
    if (it == clients_.end()) return;
    it->second.stream = nullptr;
    return give_up(it, why.code == Code::kOk ? Error{Code::kTruncated, 0, "ping: the stream ended"} : why);
  }
  if (stream.tag() != kCounted) return;
  const auto it = inbound_.find(stream.peer());
  if (--it->second == 0) inbound_.erase(it);
}

}  // namespace p2pa::ping
