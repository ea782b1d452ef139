#include "transport/udp/congestion_controller.hpp"

#include "transport/udp/bbr.hpp"
#include "transport/udp/cubic.hpp"

namespace p2pa::udp {

std::unique_ptr<CongestionController> make_controller(CongestionControl kind, std::size_t packet) {
  if (kind == CongestionControl::kBbr) return std::make_unique<Bbr>(packet);
  return std::make_unique<Cubic>(packet);
}

}  // namespace p2pa::udp
