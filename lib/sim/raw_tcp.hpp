#pragma once
#include <map>

#include "sim/tcp_stack.hpp"

namespace p2pa::sim {

/// TCP connections that no node has: a scenario writes and reads their bytes.
class RawTcp final {
 public:
  /// In whose name they are opened; a world gives it to nobody.
  static constexpr NodeId kNobody = 0xffff'ffff;

  explicit RawTcp(TcpStack& tcp) : tcp_(tcp) {}

  std::uint32_t open(Instant now, HostId from, const IpEndpoint& to);
  void write(Instant now, std::uint32_t connection, ByteView bytes);
  Bytes take(std::uint32_t connection) { return std::exchange(ends_.at(connection).arrived, {}); }
  bool alive(std::uint32_t connection) const { return !ends_.at(connection).over; }
  /// What the stack tells kNobody.
  void handle(Instant now, const SocketEvent& event);

 private:
  struct End {
    Bytes waiting, arrived;
    bool connected = false, writing = false, over = false;
  };
  void go_on(Instant now, std::uint32_t connection, End& end);

  TcpStack& tcp_;
  std::map<std::uint32_t, End> ends_;  ///< by SocketId, too
};

}  // namespace p2pa::sim
