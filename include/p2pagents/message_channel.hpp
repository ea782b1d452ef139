#pragma once
// Messages that may be lost, of any size up to many packets, with forward error correction. They travel
// in QUIC datagrams: a packet that is lost is not sent again, but repaired from others that arrived.

#include <cstddef>
#include <cstdint>
#include <functional>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"
#include "p2pagents/peer_id.hpp"
#include "p2pagents/time.hpp"

namespace p2pa {

/// How a channel repairs what is lost.
struct MessageChannelOptions {
  /// From send() to the other end: how long a message is of use. Repairs are sent early enough to make
  /// it. Zero: the round trip's time.
  Duration deadline{};
  /// The most packets of repair per packet of messages, 0 to 1; what is sent follows from the losses that
  /// the other end sees: about 0.02 without any, 0.07 at 1 %, 0.13 at 3 %, more when they come in bursts.
  /// 0: no correction.
  double repair_max = 0.25;
};

/// Since the channel was opened.
struct MessageChannelStats {
  std::uint64_t messages = 0;
  std::uint64_t packets = 0;  ///< that they were cut into
  std::uint64_t repairs = 0;  ///< packets more
  double loss = 0;            ///< of packets, as the other end sees it lately, 0 to 1
  double burst = 1;           ///< packets lost in a row, the mean
};

/// The sending end of a one-way channel. Owned by the node; valid until on_end returned. REQUIRES the
/// node's thread.
class MessageChannel {
 public:
  virtual ~MessageChannel() = default;
  virtual std::uint64_t id() const = 0;  ///< unique within its node, never reused, never 0
  virtual const PeerId& peer() const = 0;
  /// Sends a copy: unordered, perhaps lost, at most once. kMessageTooLarge: over size_max(). kWouldBlock:
  /// the congestion window is full and 256 KiB wait; the message is lost, and part of it may be on its
  /// way. kStreamFinished: after close().
  virtual Result<void> send(ByteView message) = 0;
  virtual std::size_t size_max() const = 0;  ///< 64 packets: some 70,000 bytes or more
  virtual MessageChannelStats stats() const = 0;
  virtual void close() = 0;
  /// Told once, in the node's turn. kOk: after close(), or the peer ended it. Not from inside itself.
  virtual void on_end(std::move_only_function<void(MessageChannel&, const Error& why)> handler) = 0;
};

using MessageChannelCallback = std::move_only_function<void(Result<MessageChannel*>)>;

}  // namespace p2pa
