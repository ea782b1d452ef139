#include "sim/tcp_receiver.hpp"

#include <algorithm>
#include <iterator>

namespace p2pa::sim {

void TcpReceiver::receive(const TcpSegment& segment, Bytes& out) {
  const std::uint64_t end = segment.sequence + segment.bytes.size();
  if (ended_ || end > next_ + kTcpWindow) return;
  if (segment.fin) end_ = end;
  if (end > next_) {
    const std::uint64_t begin = std::max(segment.sequence, next_);
    const ByteView fresh = ByteView(segment.bytes).subspan(begin - segment.sequence);
    if (begin == next_) {
      advance(fresh, out);
    } else {
      keep(begin, fresh);
    }
  }
  if (end_ == next_) {
    ++next_;  // the FIN counts as one
    ended_ = true;
  }
}

void TcpReceiver::advance(ByteView bytes, Bytes& out) {
  out.insert(out.end(), bytes.begin(), bytes.end());
  next_ += bytes.size();
  while (!runs_.empty() && runs_.begin()->first <= next_) {
    const auto& [begin, run] = *runs_.begin();
    const std::uint64_t known = std::min<std::uint64_t>(next_ - begin, run.size());
    out.insert(out.end(), run.begin() + static_cast<std::ptrdiff_t>(known), run.end());
    next_ += run.size() - known;
    runs_.erase(runs_.begin());
  }
}

void TcpReceiver::keep(std::uint64_t begin, ByteView bytes) {
  auto run = runs_.upper_bound(begin);
  if (run != runs_.begin() &&
      std::prev(run)->first + std::prev(run)->second.size() >= begin) {  // it touches the one before
    --run;
    const std::uint64_t known =
        std::min<std::uint64_t>(run->first + run->second.size() - begin, bytes.size());
    run->second.insert(run->second.end(), bytes.begin() + static_cast<std::ptrdiff_t>(known),
                       bytes.end());
  } else {
    run = runs_.emplace_hint(run, begin, Bytes(bytes.begin(), bytes.end()));
  }
  grew_last_ = run->first;
  // What it reached is one with it now.
  for (auto next = std::next(run); next != runs_.end(); next = runs_.erase(next)) {
    const std::uint64_t end = run->first + run->second.size();
    if (next->first > end) break;
    const std::uint64_t known = std::min<std::uint64_t>(end - next->first, next->second.size());
    run->second.insert(run->second.end(),
                       next->second.begin() + static_cast<std::ptrdiff_t>(known),
                       next->second.end());
  }
}

void TcpReceiver::acknowledge(TcpSegment& out) const {
  out.ack = true;
  out.acknowledged = next_;
  const auto add = [&](const auto& run) {
    out.blocks[out.blocks_count++] = {run.first, run.first + run.second.size()};
  };
  if (const auto last = runs_.find(grew_last_); last != runs_.end()) add(*last);
  for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
    if (out.blocks_count == TcpSegment::kBlocksMax) break;
    if (run->first != grew_last_) add(*run);
  }
}

}  // namespace p2pa::sim
