#pragma once
// Forward error correction of a session, the receiving end: packets of the code in, bodies out
// (docs/wire/udp.md §correction).
// fuzzed: udp_correction

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "fec/decoder.hpp"
#include "p2pagents/error.hpp"
#include "p2pagents/time.hpp"
#include "transport/mux/memory_budget.hpp"

namespace p2pa::udp {

/// A pure machine. The decoder comes with the first packet, if there is memory for it; else what is lost stays so.
class FecReceiver final {
 public:
  /// The most that it holds, and counts against the memory.
  static constexpr std::size_t kBytesMax = fec::Decoder::kBytesMax + fec::Decoder::kSpan * sizeof(Instant);

  /// Of one packet; what is over it is passed over. Small repairs may cost as much as large ones.
  static constexpr std::size_t kRepairsPerPacketMax = 8;

  struct Body {
    ByteView bytes;  ///< valid until the next receive()
    /// When it would have come, at the latest, had it not been lost. kNever: it did come.
    Instant missed_at = kNever;
  };

  /// REQUIRES that `memory` outlives it.
  explicit FecReceiver(mux::MemoryBudget& memory) : memory_(memory) {}
  FecReceiver(const FecReceiver&) = delete;
  FecReceiver& operator=(const FecReceiver&) = delete;
  ~FecReceiver() { clear(); }

  /// What follows came in a packet of its own.
  void begin_packet() { repairs_ = 0; }
  /// kMalformed and its kin: it is no packet of the code, and nothing has changed.
  Result<void> receive(Instant now, ByteView packet);
  /// A body that became known with it.
  std::optional<Body> poll();

  /// Whether there is a decoder.
  bool corrects() const { return state_ != nullptr; }
  void clear();

 private:
  struct State {
    fec::Decoder decoder;
    std::array<Instant, fec::Decoder::kSpan> named{};  // by number: when it, or a newer one, was heard of
  };

  bool begin();

  mux::MemoryBudget& memory_;
  bool refused_ = false;
  std::size_t repairs_ = 0;  // of this packet
  std::unique_ptr<State> state_;
  std::optional<ByteView> plain_;  // a body that no decoder has seen
};

}  // namespace p2pa::udp
