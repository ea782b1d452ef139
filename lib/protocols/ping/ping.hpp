#pragma once
// /ipfs/ping/1.0.0 (spec: ping/ping.md): 32 random bytes, sent back as they are. No codec: there is
// nothing to encode.

#include <array>
#include <deque>
#include <map>
#include <vector>

#include "base/timer_queue.hpp"
#include "crypto/rng.hpp"
#include "p2pagents/node.hpp"
#include "transport/stream.hpp"

namespace p2pa::ping {

inline constexpr std::string_view kProtocolId = "/ipfs/ping/1.0.0";
inline constexpr std::size_t kPayloadSize = 32;
/// Inbound streams that one peer may have; the next is reset. go allows as many.
inline constexpr std::uint32_t kInboundPerPeerMax = 2;
/// Pings of one peer that wait for their turn; the next fails with kRateLimited.
inline constexpr std::size_t kWaitingMax = 64;
inline constexpr Duration kTimeout = seconds(10);
/// The stream of a peer that is not pinged any more is closed after this time.
inline constexpr Duration kIdleTimeout = seconds(30);

/// Both ends. One outbound stream a peer, used again for every ping; one ping on the way at a time.
class Ping final : public Protocol {
 public:
  /// REQUIRES that both outlive it.
  Ping(StreamOpener& opener, Rng& rng) : opener_(opener), rng_(rng) {}

  /// The round trip, or kTimeout, kRateLimited, kProtocolViolation (other bytes came back), or why there
  /// is no stream. `done` comes exactly once, never inside this call. Dials when not connected.
  void ping(Instant now, const PeerId& peer, PingCallback done);

  std::vector<std::string> protocol_ids() const override { return {std::string(kProtocolId)}; }
  bool replay_safe() const override { return true; }
  Priority priority() const override { return Priority::kControl; }
  void on_stream_open(Instant now, Stream& stream) override;
  void on_stream_failed(Instant now, std::uint64_t tag, const Error& why) override;
  void on_readable(Instant now, Stream& stream) override;
  void on_writable(Instant now, Stream& stream) override;
  void on_stream_closed(Instant now, Stream& stream, const Error& why) override;
  Instant next_deadline() const override { return timers_.next(); }
  void on_deadline(Instant now) override;
  bool has_work() const override { return !refused_.empty(); }
  void on_turn(Instant now) override;

 private:
  /// The pings of one peer. Its stream carries `tag`; an older stream carries a tag that nobody has.
  struct Client {
    std::uint64_t tag = 0;
    Stream* stream = nullptr;       // null: being opened
    bool on_the_way = false;
    std::array<std::uint8_t, kPayloadSize> payload{};
    std::size_t matched = 0;        // bytes of payload that came back
    Instant sent{};
    std::deque<PingCallback> waiting;  // the first one's ping is on the way
  };
  using Clients = std::map<PeerId, Client>;

  void open(const PeerId& peer, Client& client);
  void send(Instant now, Clients::iterator it);
  void receive(Instant now, Clients::iterator it);
  /// Answers the first that waits and goes on with the next.
  void answer(Instant now, Clients::iterator it, Result<Duration> result);
  /// Gives the stream up; whoever still waits gets a new one.
  void give_up(Clients::iterator it, const Error& why);
  void echo(Stream& stream);
  Clients::iterator find(const PeerId& peer, std::uint64_t tag);

  StreamOpener& opener_;
  Rng& rng_;
  std::uint64_t next_tag_ = 1;
  Clients clients_;
  TimerQueue<PeerId, PeerIdHash> timers_;
  std::map<PeerId, std::uint32_t> inbound_;  // open streams; only peers that have any
  std::vector<PingCallback> refused_;
};

}  // namespace p2pa::ping
