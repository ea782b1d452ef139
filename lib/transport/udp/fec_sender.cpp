#include "transport/udp/fec_sender.hpp"

#include <algorithm>
#include <utility>

namespace p2pa::udp {

Result<void> FecSender::prepare() {
  if (encoder_) return {};
  if (const auto taken = memory_.take(fec::Encoder::kBytesMax); !taken) return taken;
  encoder_ = std::make_unique<fec::Encoder>(fec::EncoderOptions{});
  return {};
}

void FecSender::begin(Instant now, std::size_t packet_bytes, Duration rtt) {
  // A repair is as long as the longest body that is in it.
  if (packet_bytes < packet_bytes_ && encoder_) {
    encoder_->forget();
    repair_.clear();
  }
  packet_bytes_ = packet_bytes;
  now_ = now;
  rtt_ = rtt;
}

std::size_t FecSender::body_bytes_max() const {
  return std::min(packet_bytes_ - std::min(packet_bytes_, kRepairOverhead), fec::kBodyBytesMax);
}

std::size_t FecSender::room(const PacketBuilder& packet) const {
  const std::size_t most = std::min(packet.room() - std::min(packet.room(), kSourceOverhead), body_bytes_max());
  return most - std::min(most, body_.size());
}

void FecSender::add(const MessageFrame& message, Instant deadline) {
  CorrectedMessage corrected{0, message};
  if (deadline != kNever) {
    const std::int64_t left = std::max<std::int64_t>((deadline - now_).ms(), 1);
    corrected.ms_left = std::min(static_cast<std::uint64_t>(left), kTimeLeftMsMax);
  }
  append(body_, corrected);
  first_deadline_ = std::min(first_deadline_, deadline);
}

void FecSender::end_body(PacketBuilder& packet) {
  if (body_.empty()) return;
  source_.clear();
  encoder_->append_source(source_, body_);
  packet.add(FecFrame{source_});
  // What says no deadline is to be there before it could have been sent again.
  const Instant deadline = std::exchange(first_deadline_, kNever);
  encoder_->set_repair_time((deadline == kNever ? rtt_ : deadline - now_) - rtt_ / 2);
  encoder_->on_report(report_);
  encoder_->sent(now_, body_);
  body_.clear();
  poll(now_);
}

void FecSender::poll(Instant now) {
  if (encoder_ && repair_.empty()) static_cast<void>(encoder_->poll_repair(now, repair_));
}

void FecSender::fill_repairs(PacketBuilder& packet) {
  while (pending() && packet.room() >= kFecFrameOverhead + repair_.size()) {
    packet.add(FecFrame{repair_});
    repair_.clear();
    poll(now_);
  }
}

void FecSender::packet_lost(std::uint64_t number) {
  ++report_.judged;
  ++report_.lost;
  if (!last_lost_ || *last_lost_ + 1 != number) ++report_.runs;
  last_lost_ = number;
}

void FecSender::clear() {
  if (encoder_) memory_.give_back(fec::Encoder::kBytesMax);
  encoder_.reset();
  repair_.clear();
  body_.clear();
}

}  // namespace p2pa::udp
