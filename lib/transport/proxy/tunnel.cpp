#include "transport/proxy/tunnel.hpp"

#include "base/assert.hpp"

namespace p2pa::proxy {

Result<void> Tunnel::receive(ByteView bytes, Bytes& up, Bytes& down) {
  while (!open_ && !bytes.empty()) {
    const auto taken = greet(bytes, down);
    if (!taken) return std::unexpected(taken.error());
    bytes = bytes.subspan(*taken);
  }
  up.insert(up.end(), bytes.begin(), bytes.end());
  return {};
}

void Tunnel::send(ByteView bytes, Bytes& down) {
  P2PA_ASSERT(open_);
  down.insert(down.end(), bytes.begin(), bytes.end());
}

}  // namespace p2pa::proxy
