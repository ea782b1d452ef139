#include "sim/tcp_window.hpp"

#include <algorithm>
#include <cmath>

namespace p2pa::sim {
namespace {

constexpr double kC = 0.4, kBeta = 0.7, kMin = 2;
/// RFC 9438 §4.3: so many segments a round trip make up for a window that keeps more than half at a loss.
constexpr double kRenoGain = 3 * (1 - kBeta) / (1 + kBeta);

}  // namespace

void TcpWindow::begin_epoch(Instant now) {
  in_epoch_ = true;
  epoch_ = now;
  reno_ = window_;
  peak_ = std::max(peak_, window_);  // after slow start without a loss: this is as high as it ever was
  seconds_to_peak_ = std::cbrt((peak_ - window_) / kC);
}

void TcpWindow::on_arrival(Instant now, std::size_t size, Duration rtt) {
  const double arrived = static_cast<double>(size) / segment_;
  if (window_ < threshold_) {
    window_ += arrived;
    return;
  }
  if (!in_epoch_) begin_epoch(now);
  // Where the curve is a round trip from now: so fast that the window is there then.
  const double after_peak = (now - epoch_ + rtt).seconds() - seconds_to_peak_;
  const double curve = peak_ + kC * after_peak * after_peak * after_peak;
  reno_ += arrived / window_ * (reno_ < peak_ ? kRenoGain : 1);
  window_ += arrived / window_ * (std::clamp(curve, window_, 1.5 * window_) - window_);
  window_ = std::max(window_, reno_);
}

void TcpWindow::shrink(std::size_t in_flight) {
  // Who had less than at the loss before leaves room for those that come (§4.7).
  peak_ = window_ < peak_ ? window_ * (1 + kBeta) / 2 : window_;
  threshold_ = std::max(static_cast<double>(in_flight) / segment_ * kBeta, kMin);
  in_epoch_ = false;
}

void TcpWindow::on_loss(std::size_t in_flight) {
  shrink(in_flight);
  window_ = threshold_;
}

void TcpWindow::on_timeout(std::size_t in_flight, bool again) {
  if (!again) shrink(in_flight);
  peak_ = 0;  // where slow start ends a new curve begins (§4.8)
  window_ = 1;
  in_epoch_ = false;
}

}  // namespace p2pa::sim
