#include "transport/udp/mtu_probe.hpp"

namespace p2pa::udp {

std::optional<std::size_t> MtuProbe::due() const {
  if (under_way_ || proven_ + 1 >= end_) return std::nullopt;
  return kSizes[proven_ + 1];
}

bool MtuProbe::acknowledged(std::uint64_t number) {
  if (under_way_ != number) return false;
  under_way_.reset();
  attempts_ = 0;
  ++proven_;
  return true;
}

bool MtuProbe::lost(std::uint64_t number) {
  if (under_way_ != number) return false;
  under_way_.reset();
  if (++attempts_ == kAttemptsMax) end_ = proven_ + 1;
  return true;
}

bool MtuProbe::timed_out(int timeouts) {
  if (timeouts < kBlackHole || proven_ == 0) return false;
  proven_ = 0;
  end_ = 1;
  under_way_.reset();
  return true;
}

}  // namespace p2pa::udp
