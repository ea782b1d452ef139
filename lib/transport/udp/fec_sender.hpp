#pragma once
// Forward error correction of a session, the sending end: messages into bodies of the code, and the repair of
// those (docs/wire/udp.md §correction).

#include <cstdint>
#include <memory>
#include <optional>

#include "fec/encoder.hpp"
#include "fec/packet_codec.hpp"
#include "p2pagents/error.hpp"
#include "transport/mux/memory_budget.hpp"
#include "transport/udp/packet_builder.hpp"

namespace p2pa::udp {

/// How much it repairs follows from which packets of the session were lost, whatever was in them. A pure machine;
/// the encoder, and its memory, is there from the first message on that asks for it.
class FecSender final {
 public:
  static constexpr std::size_t kSourceOverhead = kFecFrameOverhead + fec::kSourceHeaderBytes;
  static constexpr std::size_t kRepairOverhead = kFecFrameOverhead + fec::kPacketOverheadMax;

  /// REQUIRES that `memory` outlives it.
  explicit FecSender(mux::MemoryBudget& memory) : memory_(memory) {}
  FecSender(const FecSender&) = delete;
  FecSender& operator=(const FecSender&) = delete;
  ~FecSender() { clear(); }

  /// The peer understands. Before, nothing is corrected.
  void enable() { enabled_ = true; }
  bool enabled() const { return enabled_; }
  /// Makes the encoder, if there is none. kLimitMemory and its kin: no memory for it.
  Result<void> prepare();

  /// What follows is of packets that hold so many bytes of frames and leave now. Without a sample of the round trip
  /// `rtt` is zero.
  void begin(Instant now, std::size_t packet_bytes, Duration rtt);
  /// Bytes of messages that fit the body under way, and it the packet.
  std::size_t room(const PacketBuilder& packet) const;
  /// Appends a message to the body. REQUIRES prepare(), begin() and room for its frame and kTimeLeftSizeMax.
  void add(const MessageFrame& message, Instant deadline);
  /// The body under way, if there is one, goes into the packet.
  void end_body(PacketBuilder& packet);
  /// Puts repairs that are due, as far as they fit.
  void fill_repairs(PacketBuilder& packet);

  /// A repair is due.
  bool pending() const { return !repair_.empty(); }
  /// When one is without anything being sent.
  Instant next_deadline() const { return encoder_ && !pending() ? encoder_->next_deadline() : kNever; }
  void on_deadline(Instant now) { poll(now); }

  /// What became of the session's packets. A number is lost once, and they are told in order.
  void packets_acknowledged(std::uint64_t count) { report_.judged += count; }
  void packet_lost(std::uint64_t number);

  const fec::Encoder* encoder() const { return encoder_.get(); }
  void clear();

 private:
  std::size_t body_bytes_max() const;
  void poll(Instant now);

  mux::MemoryBudget& memory_;
  bool enabled_ = false;
  std::unique_ptr<fec::Encoder> encoder_;
  std::size_t packet_bytes_ = 0;
  Instant now_{};
  Duration rtt_{};
  Bytes body_, source_;     // of the packet under way
  Instant first_deadline_ = kNever;  // of the messages in it
  Bytes repair_;            // due; empty: none is
  fec::LossReport report_;  // of the session
  std::optional<std::uint64_t> last_lost_;
};

}  // namespace p2pa::udp
