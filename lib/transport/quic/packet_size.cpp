#include "transport/quic/packet_size.hpp"

namespace p2pa::quic {
namespace {

/// More than header, tag and small frames (acknowledgements, credit) of a packet take: a packet with more
/// besides what is new repeats something.
constexpr std::size_t kOverheadMax = PacketSize::kEthernet / 2;

}  // namespace

std::size_t PacketSize::limit(std::size_t window) const {
  const bool large = (state_ == State::kUntried || state_ == State::kProven) && window >= kWindowMin;
  return large ? kHost : kEthernet;
}

void PacketSize::made(std::size_t size, std::size_t fresh, std::int64_t stream, std::uint64_t end) {
  if (state_ == State::kUntried && size > kEthernet) {
    if (fresh == 0) return attempt_failed();  // who knows which of its copies will have arrived?
    state_ = State::kTrying;
    tried_stream_ = stream;
    tried_end_ = end;
  } else if (state_ == State::kTrying && size > fresh + kOverheadMax) {
    attempt_failed();
  }
}

void PacketSize::acknowledged(std::int64_t stream, std::uint64_t end, std::uint64_t size) {
  if (state_ == State::kTrying && stream == tried_stream_ && end >= tried_end_) state_ = State::kProven;
  if (state_ != State::kResting) return;
  rested_ += size;
  if (rested_ >= kWindowMin) state_ = State::kUntried;
}

void PacketSize::stream_closed(std::int64_t stream) {
  if (state_ == State::kTrying && stream == tried_stream_) attempt_failed();
}

void PacketSize::silence() {
  if (state_ == State::kProven) state_ = State::kUntried;
}

void PacketSize::path_changed(bool same_host) {
  if (state_ == State::kByEngine) return;
  state_ = same_host ? State::kUntried : State::kRefused;
}

void PacketSize::attempt_failed() {
  state_ = --attempts_left_ > 0 ? State::kResting : State::kRefused;
  rested_ = 0;
}

}  // namespace p2pa::quic
