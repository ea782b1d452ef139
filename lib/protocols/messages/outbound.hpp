#pragma once
// The sending end of a channel.

#include <cstdint>

#include "base/timer_queue.hpp"
#include "fec/encoder.hpp"
#include "p2pagents/message_channel.hpp"
#include "protocols/messages/messages_codec.hpp"
#include "resource/manager.hpp"
#include "transport/stream.hpp"
#include "wire/framing.hpp"

namespace p2pa::messages {

using Timers = TimerQueue<std::uint64_t>;

/// A channel from when it was asked for until its stream is closed. Its deadline stands in `timers` under
/// its id: the end of its patience while the other end has not answered, then the encoder's.
class Outbound final : public MessageChannel {
 public:
  static constexpr std::size_t kBytesMax = fec::Encoder::kBytesMax;

  /// REQUIRES that `timers` and `now`, the node's clock, outlive it.
  Outbound(std::uint64_t id, const PeerId& peer, const MessageChannelOptions& options, Timers& timers,
           const Instant& now, MessageChannelCallback opened);

  // MessageChannel
  std::uint64_t id() const override { return id_; }
  const PeerId& peer() const override { return peer_; }
  Result<void> send(ByteView message) override;
  std::size_t size_max() const override { return kPiecesMax * payload_max(); }
  MessageChannelStats stats() const override;
  void close() override;
  void on_end(std::move_only_function<void(MessageChannel&, const Error&)> handler) override {
    on_end_ = std::move(handler);
  }

  // For Messages.
  /// The stream is there: says the tag on it. kUnsupported: its connection takes no datagrams.
  /// kLimitMemory and its kin: the node's bounds.
  Result<void> greet(Stream& stream, std::uint32_t tag, resource::Manager& resources);
  /// Reads what the other end says; its first report opens the channel.
  Result<void> read();
  /// The stream, while the other end has not answered; null later.
  Stream* unanswered() const { return state_ == State::kOpening ? stream_ : nullptr; }
  void on_deadline();
  /// The stream is gone, or never came.
  void end(const Error& why);

 private:
  enum class State : std::uint8_t { kOpening, kOpen, kClosing };

  /// Of one piece.
  std::size_t payload_max() const;
  Result<void> send_piece(const Piece& piece);
  void send_repairs();
  void on_report(const fec::LossReport& report);

  const std::uint64_t id_;
  const PeerId peer_;
  const MessageChannelOptions options_;
  Timers& timers_;
  const Instant& now_;
  State state_ = State::kOpening;
  Stream* stream_ = nullptr;
  std::uint32_t tag_ = 0;
  fec::Encoder encoder_;
  wire::FrameReader frames_{kFrameBytesMax};
  resource::Reservation memory_;
  Bytes body_, datagram_;  // scratch
  std::uint64_t messages_ = 0;
  MessageChannelCallback opened_;
  std::move_only_function<void(MessageChannel&, const Error&)> on_end_;
};

}  // namespace p2pa::messages
