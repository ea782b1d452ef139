#include "fec/rate_controller.hpp"

#include <algorithm>
#include <cmath>

#include "fec/code.hpp"

namespace p2pa::fec {

void RateController::on_report(const LossReport& report) {
  const bool grows = report.judged > last_.judged && report.lost >= last_.lost && report.runs >= last_.runs;
  if (!grows) return;
  const std::uint64_t judged = report.judged - last_.judged, lost = report.lost - last_.lost,
                      runs = report.runs - last_.runs;
  if (lost > judged || runs > lost) return;
  last_ = report;
  const auto n = static_cast<double>(judged), losses = static_cast<double>(lost);
  // Both kept as sums with the same memory: runs are loss_ / burst_ of all.
  const double weight = n / (n + kMemory);
  const double runs_before = loss_ / burst_;
  const double runs_now = runs_before + weight * (static_cast<double>(runs) / n - runs_before);
  loss_ += weight * (losses / n - loss_);
  burst_ = runs_now > 0 ? std::max(1.0, loss_ / runs_now) : 1.0;
}

Plan RateController::plan(std::size_t timely) const {
  const auto n = static_cast<double>(std::clamp<std::size_t>(timely, 1, kWindowMax));
  const double p = std::max(loss_, kLossMin);
  const double dependence = std::max(1.0, 2 * burst_ * (1 - p) - 1);
  const double deviation = std::sqrt(p * (1 - p) * dependence / n);
  Plan out;
  out.ratio = std::min(p + kDeviations * deviation, ratio_max_);
  out.window = static_cast<std::size_t>(
      std::clamp(2 * n * burst_, static_cast<double>(kWindowMin), static_cast<double>(kWindowMax)));
  return out;
}

}  // namespace p2pa::fec
