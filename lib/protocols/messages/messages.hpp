#pragma once
// /p2pagents/messages/1.0.0 (wire: docs/wire/messages.md): messages that may be lost, in datagrams, with
// forward error correction. Who sends opens a stream: on it go the tag of his datagrams, one way, and
// what became of them, the other.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "crypto/rng.hpp"
#include "protocols/messages/assembler.hpp"
#include "protocols/messages/outbound.hpp"
#include "transport/stream.hpp"

namespace p2pa::messages {

/// Channels that one peer may have to us; the next is reset.
inline constexpr std::uint32_t kInboundPerPeerMax = 16;
/// How often a receiver that hears something says what was lost.
inline constexpr Duration kReportInterval = milliseconds(100);
/// How long each end waits for the other's first frame.
inline constexpr Duration kOpenTimeout = seconds(10);

using Deliver = std::function<void(const PeerId& from, ByteView message)>;

/// Both ends.
class Messages final : public Protocol {
 public:
  /// REQUIRES that all outlive it. `now` is the node's clock, for what is sent between turns.
  Messages(StreamOpener& opener, Rng& rng, resource::Manager& resources, const Instant& now, Deliver deliver);

  /// Opens a channel to the peer, dialing when not connected. `opened` comes exactly once, in a turn:
  /// kProtocolUnsupported, kUnsupported (no datagrams, as over TCP), kTimeout, a bound, or why there is no
  /// stream. REQUIRES valid options and an `opened` that is not empty.
  void open(const PeerId& peer, const MessageChannelOptions& options, MessageChannelCallback opened);

  /// A datagram; false: it belongs to no channel.
  bool take(Connection& connection, ByteView datagram);

  std::vector<std::string> protocol_ids() const override { return {std::string(kProtocolId)}; }
  Priority priority() const override { return Priority::kControl; }  // reports are short, and late ones useless
  void on_stream_open(Instant now, Stream& stream) override;
  void on_stream_failed(Instant now, std::uint64_t tag, const Error& why) override;
  void on_readable(Instant now, Stream& stream) override;
  void on_writable(Instant, Stream&) override {}  // reports are cumulative: the next one says it all
  void on_stream_closed(Instant now, Stream& stream, const Error& why) override;
  Instant next_deadline() const override { return timers_.next(); }
  void on_deadline(Instant now) override;

 private:
  using Route = std::pair<ConnectionId, std::uint32_t>;  // connection and tag
  struct Inbound {
    Stream* stream;
    wire::FrameReader frames{kFrameBytesMax};
    std::unique_ptr<Assembler> assembler;  // null: no tag yet
    Route route{};
    fec::LossReport told;
    bool report_due = false;
    resource::Reservation memory;
  };

  using Outbounds = std::map<std::uint64_t, std::unique_ptr<Outbound>>;
  using Inbounds = std::map<std::uint64_t, Inbound>;

  void give_up(Outbounds::iterator it, Stream& stream, const Error& why, std::uint64_t code);
  Result<void> read(Inbounds::iterator it);
  Result<void> accept(Inbounds::iterator it, const Hello& hello);
  void report(Inbound& inbound);
  void on_deadline_of(Inbounds::iterator it);
  void refuse(Inbounds::iterator it, std::uint64_t code);
  void forget(Inbounds::iterator it);

  StreamOpener& opener_;
  Rng& rng_;
  resource::Manager& resources_;
  const Instant& now_;
  Deliver deliver_;
  std::uint64_t next_id_ = 1;
  Outbounds outbound_;  // by id, which is the stream's tag
  Inbounds inbound_;    // likewise
  std::map<Route, std::uint64_t> routes_;  // ids of inbound_
  std::map<PeerId, std::uint32_t> inbound_count_;
  Timers timers_;
};

}  // namespace p2pa::messages
