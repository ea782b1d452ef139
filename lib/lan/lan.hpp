#pragma once
// Signed messages to everybody on the local network (wire: docs/wire/lan.md): a machine without sockets or clock.

#include <deque>
#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "crypto/rng.hpp"
#include "lan/guard.hpp"
#include "lan/network.hpp"
#include "lan/outbound.hpp"
#include "lan/senders.hpp"
#include "lan/suspects.hpp"
#include "p2pagents/lan.hpp"

namespace p2pa::lan {

/// What a sender may send, a second and at once; it is what others have room for.
inline constexpr RateLimit kSendLimit{200, 200};
/// Messages that wait for the node's turn.
inline constexpr std::size_t kInboxMax = 1024;

/// Called for each datagram before any work is done for it, with an empty PeerId, and again when it says whose it is.
using Admission = std::function<Result<void>(const PeerId& peer, const IpAddress& from)>;
using Deliver = std::function<void(const LanMessage&)>;

class Lan final {
 public:
  /// REQUIRES that key and rng outlive it, and options that check_options() takes.
  Lan(const KeyPair& key, const LanOptions& options, const std::optional<PreSharedKey>& network_key, Rng& rng,
      Instant now, Admission admission, Deliver deliver);

  /// kInvalidArgument: a topic has 1 to kLanTopicBytesMax bytes of UTF-8. kLimitMemory: kLanTopicsMax are joined.
  /// Again: nothing changes.
  Result<void> join(std::string_view topic);
  /// False: it was not joined.
  bool leave(std::string_view topic);
  /// Signs and queues a message. kInvalidArgument: the topic. kMessageTooLarge. kRateLimited: kSendLimit.
  /// kWouldBlock: kOutboundMax wait.
  Result<void> send(Instant now, std::string_view topic, ByteView message);

  // --- sockets. Two of a family: one that hears the group at the port that all share, and one of our own, from
  // which we send and on which we are asked.
  void set_group_socket(bool v6, SocketId socket) { (v6 ? group6_ : group4_) = socket; }
  void set_own_socket(bool v6, SocketId socket);
  bool has_socket(SocketId socket) const;
  /// Nothing is sent before: the sockets that there will be are there.
  void set_ready() { ready_ = true; }
  void set_interfaces(const std::vector<InterfaceAddress>& interfaces) { outbound_.set_interfaces(interfaces); }
  void close();

  void handle(Instant now, const InboundDatagram& datagram);
  bool poll_transmit(MutableBytes buffer, Transmit& out) { return ready_ && outbound_.poll(buffer, out); }
  /// A past instant while something waits to be sent: the driver has to come, also when nothing arrives.
  Instant next_deadline() const;
  void on_deadline(Instant now);
  bool has_work() const { return !inbox_.empty(); }
  /// Tells what came.
  void turn();

  const LanCounters& counters() const { return counters_; }

 private:
  struct Packet {
    Header header;
    ByteView datagram, body;
    IpEndpoint from;
    bool asked;  // it came on a socket of our own
  };
  struct Inbound {
    PeerId from;
    Held message;
  };

  void handle_one(Instant now, const InboundDatagram& datagram, ByteView bytes);
  void on_message(Instant now, const Packet& packet);
  void on_challenge(Instant now, const Packet& packet);
  void on_proof(Instant now, const Packet& packet);
  void suspect(Instant now, const Packet& packet, const PeerId& peer, const Message& message);
  void challenge(const Suspect& suspect);
  bool verified(Instant now, const Packet& packet, const Signed& by);
  void deliver_later(const PeerId& from, Held message);
  void drop(LanCounters::Which why, std::size_t count = 1) { counters_.dropped[why] += count; }
  Bytes begin(Kind kind);

  Instant now_;  // as it was told last
  const KeyPair& key_;
  const Network network_;
  Rng& rng_;
  Admission admission_;
  Deliver deliver_;
  std::set<std::string, std::less<>> topics_;
  Id16 session_{};
  std::uint64_t next_number_ = 0;
  RecentNumbers recent_;
  shaping::TokenBucket sending_;
  Guard guard_;
  Senders senders_;
  Suspects suspects_;
  Outbound outbound_;
  SocketId group4_ = 0, group6_ = 0, own4_ = 0, own6_ = 0;
  bool ready_ = false;
  std::deque<Inbound> inbox_;
  Bytes scratch_;
  LanCounters counters_;
};

}  // namespace p2pa::lan
