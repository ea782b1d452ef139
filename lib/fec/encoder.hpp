#pragma once
// The sending end of the code.

#include <array>
#include <cstdint>

#include "fec/code.hpp"
#include "fec/rate_controller.hpp"
#include "p2pagents/bytes.hpp"
#include "p2pagents/time.hpp"

namespace p2pa::fec {

struct EncoderOptions {
  /// The most repairs per body; zero: none at all.
  double ratio_max = 0.25;
};

/// Numbers bodies and says when a repair is due and what is in it. A pure machine; keeps the last
/// kWindowMax bodies, no more. What it appends is whole packets, which the owner sends at once, counted
/// against congestion like every other.
class Encoder final {
 public:
  /// Within how much time after the sending of a body a repair of it must leave, until it is told.
  static constexpr Duration kRepairTimeFirst = milliseconds(50);
  static constexpr Duration kRepairTimeMin = milliseconds(5);
  /// Bodies older than so many repair times are given up: nobody waits for them.
  static constexpr std::int64_t kRepairTimesKept = 8;

  /// The most that it holds.
  static constexpr std::size_t kBytesMax = kWindowMax * (kSymbolBytesMax + 64);

  explicit Encoder(EncoderOptions options) : options_(options), rate_(options.ratio_max) {}

  /// Appends the packet of the next body without taking it yet. REQUIRES body.size() <= kBodyBytesMax.
  void append_source(Bytes& out, ByteView body) const;
  /// That packet left: the body may be repaired from now on.
  void sent(Instant now, ByteView body);
  /// Appends the repair that is due; false: none is. Ask after each body, and at next_deadline(), until
  /// it is false.
  bool poll_repair(Instant now, Bytes& out);
  /// When bodies that no repair holds get one though none follows them; kNever when there are none.
  Instant next_deadline() const;

  /// Bodies up to now are combined no more: repairs of them would be too long.
  void forget();

  /// What the decoder says (docs/wire/fec.md).
  void on_report(const LossReport& report) { rate_.on_report(report); }
  /// How long a repair still helps: the time that a message has, without its way. Shorter than
  /// kRepairTimeMin is taken as that.
  void set_repair_time(Duration time);

  const RateController& rate() const { return rate_; }
  std::uint64_t bodies() const { return next_; }
  std::uint64_t repairs() const { return repairs_; }

 private:
  struct Symbol {
    Bytes bytes;
    Instant sent{};
  };

  std::size_t sent_since(Instant then) const;
  void append_repair(Instant now, Bytes& out);
  const Symbol& symbol(std::uint64_t number) const { return window_[number % kWindowMax]; }

  EncoderOptions options_;
  RateController rate_;
  Duration repair_time_ = kRepairTimeFirst;
  std::array<Symbol, kWindowMax> window_;
  std::uint64_t next_ = 0, repairs_ = 0;
  std::uint64_t covered_ = 0;  // bodies before it are in a repair
  std::uint64_t forgotten_ = 0;  // bodies before it are in none from now on
  std::size_t window_size_ = RateController::kWindowMin;
  double credit_ = 0;  // repairs that are due
};

}  // namespace p2pa::fec
