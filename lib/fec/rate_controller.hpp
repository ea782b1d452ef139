#pragma once
// How much repair: from what the other end says of losses.

#include <cstddef>
#include <cstdint>

namespace p2pa::fec {

/// What a decoder has seen since its begin. A body is judged once enough of later ones have come that
/// it is not merely late.
struct LossReport {
  std::uint64_t judged = 0;
  std::uint64_t lost = 0;  ///< of them; what was recovered later counts too
  std::uint64_t runs = 0;  ///< how many times one or more in a row were lost
  bool operator==(const LossReport&) const = default;
};

/// Repairs per body, and over how many bodies each.
struct Plan {
  double ratio = 0;
  std::size_t window = 0;
};

/// Losses within the n bodies that are sent while repair still helps have the mean n p and, when runs of
/// them have the mean length b, about the variance n p (1 - p) (2 b (1 - p) - 1): that of a Gilbert channel,
/// whose second factor is 1 when losses do not depend on each other. The plan sends as many repairs as that
/// mean and kDeviations. A pure function of the reports; bursts make the window longer.
class RateController final {
 public:
  /// Before the first report.
  static constexpr double kLossFirst = 0.02;
  /// The weight of what was known before, in bodies.
  static constexpr double kMemory = 1000;
  static constexpr std::size_t kWindowMin = 32;
  /// No estimate of the loss is below it: a repair now and then.
  static constexpr double kLossMin = 0.001;
  static constexpr double kDeviations = 2.75;

  /// The most repairs per body, above 0.
  explicit RateController(double ratio_max) : ratio_max_(ratio_max) {}

  /// Reports that contradict earlier ones, or themselves, are not used.
  void on_report(const LossReport& report);
  /// `timely`: bodies sent while a repair helps the first of them. At least 1.
  Plan plan(std::size_t timely) const;

  double loss() const { return loss_; }
  /// Bodies lost in a row, the mean; at least 1.
  double burst() const { return burst_; }

 private:
  double ratio_max_;
  LossReport last_;
  double loss_ = kLossFirst, burst_ = 1;
};

}  // namespace p2pa::fec
