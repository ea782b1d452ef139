#pragma once
// /ipfs/id/1.0.0 and /ipfs/id/push/1.0.0 (spec: identify/README.md): who we are, where we listen, what we
// speak, and how we see the other's address.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/timer_queue.hpp"
#include "p2pagents/key_pair.hpp"
#include "p2pagents/node.hpp"
#include "p2pagents/version.hpp"
#include "protocols/identify/identify_codec.hpp"
#include "transport/stream.hpp"
#include "wire/framing.hpp"

namespace p2pa::identify {

inline constexpr std::string_view kIdentifyId = "/ipfs/id/1.0.0";
inline constexpr std::string_view kPushId = "/ipfs/id/push/1.0.0";
inline constexpr std::string_view kProtocolVersion = "p2pagents/" P2PA_VERSION_TEXT;

/// rust reads one message of at most 4,096 bytes: what matters is in the first, and it is no longer.
inline constexpr std::size_t kSentBytesMax = 4096;
/// What go and js accept.
inline constexpr std::size_t kMessageBytesMax = 8 * 1024;
inline constexpr int kMessagesMax = 10;
inline constexpr Duration kTimeout = seconds(10);
/// Pushes of one peer: one in five seconds in the long run, ten at once. go asks the same of us.
inline constexpr Duration kPushInterval = seconds(5);
inline constexpr int kPushBurst = 10;

/// What it needs to know of the node. REQUIRES that opener and key outlive it.
struct Context {
  StreamOpener& opener;
  const KeyPair& key;
  std::string agent_version;
  std::uint64_t record_sequence = 1;  ///< of the first peer record: higher than in an earlier run
  std::function<std::vector<Multiaddr>()> addresses;    ///< where we listen
  std::function<std::vector<std::string>()> protocols;  ///< what we speak
  std::function<void(PeerInfo)> identified;             ///< a peer has told us; all that is known of it
};

/// Both ends. Asks on every new connection, answers at once, pushes when something of ours changed.
class Identify final : public Protocol {
 public:
  explicit Identify(Context context) : context_(std::move(context)) {}

  /// Our addresses or protocols are others now: tells every peer that takes pushes, at most once in
  /// kPushInterval.
  void local_changed(Instant now);

  std::vector<std::string> protocol_ids() const override;
  bool replay_safe() const override { return true; }
  void on_connected(Instant now, Connection& connection) override;
  void on_disconnected(Instant now, Connection& connection, const Error& why) override;
  Priority priority() const override { return Priority::kControl; }
  void on_stream_open(Instant now, Stream& stream) override;
  void on_stream_failed(Instant now, std::uint64_t tag, const Error& why) override;
  void on_readable(Instant now, Stream& stream) override;
  void on_writable(Instant, Stream&) override {}  // what we say fits a fresh stream
  void on_stream_closed(Instant now, Stream& stream, const Error& why) override;
  Instant next_deadline() const override;
  void on_deadline(Instant now) override;

 private:
  /// What we say, made once for every change of ours.
  struct Local {
    std::uint64_t version = 0;
    bool stale = true;
    Bytes fields;  ///< all but the observed address and the record
    Bytes record;  ///< the field of the signed record
  };
  struct Peer {
    std::uint32_t connections = 0;
    PeerInfo info;
    std::uint64_t record_sequence = 0;  ///< of the newest record it showed
    std::uint64_t told = 0;             ///< Local::version that it knows; 0: it never asked
    Instant pushes_used_until{};        ///< see take_push()
  };
  /// What a stream has brought so far.
  struct Reading {
    Stream* stream;
    bool push;
    wire::FrameReader frames{kMessageBytesMax};
    int messages = 0;
    Message message;
  };
  using Readings = std::map<std::uint64_t, Reading>;

  void start_reading(Instant now, Stream& stream, bool push);
  void stop_reading(Readings::iterator it);
  /// Takes what has arrived; true at the end of the stream.
  Result<bool> read(Reading& reading);
  void accept(Instant now, const PeerId& id, const Message& message, bool push);
  Result<void> check(const PeerId& id, const Message& message, bool push) const;
  void adopt(Peer& peer, const Message& message);
  bool take_push(Instant now, Peer& peer);

  void tell(Stream& stream);
  void refresh_local();
  void push_all(Instant now);

  Context context_;
  Local local_;
  std::map<PeerId, Peer> peers_;  // connected ones
  Readings readings_;             // by the stream's tag
  std::uint64_t next_tag_ = 1;
  TimerQueue<std::uint64_t> timeouts_;
  Instant push_due_ = kNever;
  Instant pushed_{};
  bool pushed_once_ = false;
};

}  // namespace p2pa::identify
