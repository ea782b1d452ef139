#include "sim/raw_tcp.hpp"

#include <algorithm>

namespace p2pa::sim {
namespace {

constexpr std::size_t kWriteMax = 65'536;

}  // namespace

std::uint32_t RawTcp::open(Instant now, HostId from, const IpEndpoint& to) {
  const auto connection = static_cast<std::uint32_t>(ends_.size() + 1);
  ends_[connection];
  tcp_.connect(now, from, kNobody, connection, to);
  return connection;
}

void RawTcp::write(Instant now, std::uint32_t connection, ByteView bytes) {
  End& end = ends_.at(connection);
  end.waiting.insert(end.waiting.end(), bytes.begin(), bytes.end());
  go_on(now, connection, end);
}

void RawTcp::go_on(Instant now, std::uint32_t connection, End& end) {
  if (!end.connected || end.writing || end.over || end.waiting.empty()) return;
  const std::size_t size = std::min(kWriteMax, end.waiting.size());
  const Bytes bytes(end.waiting.begin(), end.waiting.begin() + static_cast<std::ptrdiff_t>(size));
  end.waiting.erase(end.waiting.begin(), end.waiting.begin() + static_cast<std::ptrdiff_t>(size));
  end.writing = true;
  tcp_.write(now, kNobody, connection, bytes);
}

void RawTcp::handle(Instant now, const SocketEvent& event) {
  const auto connection = static_cast<std::uint32_t>(event.socket);
  End& end = ends_.at(connection);
  switch (event.kind) {
    case SocketEvent::Kind::kAccepted: return;
    case SocketEvent::Kind::kConnected: end.connected = true; break;
    case SocketEvent::Kind::kWritten: end.writing = false; break;
    case SocketEvent::Kind::kBytes:
      end.arrived.insert(end.arrived.end(), event.bytes.begin(), event.bytes.end());
      break;
    case SocketEvent::Kind::kEnd:
    case SocketEvent::Kind::kLost: end.over = true; break;
  }
  go_on(now, connection, end);
}

}  // namespace p2pa::sim
