#pragma once
// The receiving end of the code.

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "fec/code.hpp"
#include "fec/packet_codec.hpp"
#include "fec/rate_controller.hpp"

namespace p2pa::fec {

/// Takes packets in any order and gives each body out once: at once when it came itself, later when it
/// was recovered. A pure machine. Solves its equations as they come (Gauss and Jordan), so a body is
/// known with the first packet that determines it.
class Decoder final {
 public:
  /// Bodies that it knows of, counted back from the newest; what is older is given up.
  static constexpr std::size_t kSpan = 2 * kWindowMax;
  /// Repairs that wait for more; with one over it the oldest goes.
  static constexpr std::size_t kEquationsMax = 64;
  /// A body is judged as lost or not once so many newer ones were sent.
  static constexpr std::size_t kReorderMax = 32;
  /// The most that it holds.
  static constexpr std::size_t kBytesMax =
      kSpan * (kSymbolBytesMax + 64) + kEquationsMax * (kSymbolBytesMax + kSpan + 64);

  struct Known {
    std::uint64_t number;
    ByteView body;  ///< valid until the next receive()
    bool arrived;   ///< itself; false: recovered
  };

  /// An error says that the packet is none; nothing has changed then.
  Result<void> receive(ByteView packet);
  /// A body that became known with the last packet.
  std::optional<Known> poll();
  /// A body that poll() gave out and that is still kept.
  std::optional<ByteView> body(std::uint64_t number) const;

  /// One behind the newest body that was heard of.
  std::uint64_t end() const { return end_; }
  const LossReport& report() const { return report_; }
  std::uint64_t recovered() const { return recovered_; }
  std::size_t equations() const { return equations_.size(); }

 private:
  enum class State : std::uint8_t { kMissing, kKnown, kTold };
  struct Slot {
    Bytes symbol;
    State state = State::kMissing;
    bool arrived = false;  // itself, not recovered
  };
  /// The sum over all bodies of factor times symbol is `sum`. Factors of known bodies are zero, and so is the
  /// factor at every other equation's pivot; at the own one it is 1.
  struct Equation {
    std::array<std::uint8_t, kSpan> factors{};
    Bytes sum;
    std::uint64_t pivot = 0;
  };

  void take(const Source& source);
  void take(const Repair& repair);
  /// The number that a packet means; empty when it is before the span.
  std::optional<std::uint64_t> expand(std::uint32_t number) const;
  void advance(std::uint64_t end);
  void judge();
  void know(std::uint64_t number);
  void substitute(std::uint64_t number);
  void insert(Equation equation);
  void solve();
  static void add(Equation& to, std::uint8_t by, const Equation& from);
  std::uint64_t begin() const { return end_ - std::min<std::uint64_t>(end_, kSpan); }
  Slot& slot(std::uint64_t number) { return slots_[number % kSpan]; }
  const Slot& slot(std::uint64_t number) const { return slots_[number % kSpan]; }

  std::array<Slot, kSpan> slots_;
  std::uint64_t end_ = 0;
  std::uint64_t judged_end_ = 0;
  bool last_judged_lost_ = false;
  std::vector<Equation> equations_;
  std::deque<std::uint64_t> fresh_;  // known, not told
  LossReport report_;
  std::uint64_t recovered_ = 0;
};

}  // namespace p2pa::fec
