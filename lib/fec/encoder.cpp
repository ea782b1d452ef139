#include "fec/encoder.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/byte_writer.hpp"
#include "fec/packet_codec.hpp"

namespace p2pa::fec {

void Encoder::append_source(Bytes& out, ByteView body) const {
  P2PA_ASSERT(body.size() <= kBodyBytesMax);
  append_packet(out, Source{static_cast<std::uint32_t>(next_), body});
}

void Encoder::sent(Instant now, ByteView body) {
  Symbol& symbol = window_[next_ % kWindowMax];
  symbol.bytes.clear();
  symbol.bytes.reserve(kLengthBytes + body.size());
  ByteWriter writer(symbol.bytes);
  writer.big_endian(static_cast<std::uint16_t>(body.size()));
  writer.append(body);
  symbol.sent = now;
  ++next_;
  if (options_.ratio_max <= 0) return;
  const Plan plan = rate_.plan(sent_since(now - repair_time_));
  credit_ += plan.ratio;
  window_size_ = plan.window;
}

std::size_t Encoder::sent_since(Instant then) const {
  const std::uint64_t kept = std::min<std::uint64_t>(next_, kWindowMax);
  std::size_t count = 0;
  while (count < kept && symbol(next_ - 1 - count).sent >= then) ++count;
  return count;
}

bool Encoder::poll_repair(Instant now, Bytes& out) {
  if (credit_ >= 1) {
    credit_ -= 1;
  } else if (const Instant due = next_deadline(); due != kNever && now >= due) {
    credit_ = 0;
  } else {
    return false;
  }
  append_repair(now, out);
  return true;
}

Instant Encoder::next_deadline() const {
  if (options_.ratio_max <= 0 || covered_ == next_) return kNever;
  // While bodies follow each other the credit brings a repair; this is for the last ones.
  return symbol(next_ - 1).sent + repair_time_ / 2;
}

void Encoder::append_repair(Instant now, Bytes& out) {
  const std::size_t fresh = sent_since(now - repair_time_ * kRepairTimesKept);
  const std::size_t count = std::clamp<std::size_t>(fresh, 1, window_size_);
  const std::uint64_t first = std::max(next_ - count, forgotten_);
  std::size_t size = 0;
  for (std::uint64_t n = first; n < next_; ++n) size = std::max(size, symbol(n).bytes.size());
  std::array<std::uint8_t, kSymbolBytesMax> sum{};
  const auto number = static_cast<std::uint8_t>(repairs_ % kWindowMax);
  for (std::uint64_t n = first; n < next_; ++n) gf256::add_multiple(sum, factor(n, number), symbol(n).bytes);
  append_packet(out, Repair{static_cast<std::uint32_t>(first), static_cast<std::uint8_t>(next_ - first), number,
                            ByteView(sum).first(size)});
  ++repairs_;
  covered_ = next_;
}

void Encoder::forget() {
  forgotten_ = covered_ = next_;
  credit_ = 0;
}

void Encoder::set_repair_time(Duration time) { repair_time_ = std::max(time, kRepairTimeMin); }

}  // namespace p2pa::fec
