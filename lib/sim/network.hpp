#pragma once
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "address/ip_endpoint.hpp"
#include "crypto/rng.hpp"
#include "p2pagents/sim.hpp"
#include "sim/datagram_pool.hpp"
#include "sim/event_queue.hpp"
#include "sim/link.hpp"
#include "transport/transport.hpp"

namespace p2pa::sim {

/// Hosts, their addresses, NATs and sockets, and the links between them. What is sent becomes an
/// arrival in the event queue, or is counted as lost. (Its hash maps are looked up, never walked.)
class Network final {
 public:
  Network(ByteView seed32, EventQueue& events, Stats& stats)
      : rng_(seed32), events_(events), stats_(stats) {}

  // --- hosts
  HostId add_host();
  Result<HostId> add_host(const std::vector<IpAddress>& addresses);
  /// As the host itself sees them.
  std::vector<IpAddress> addresses(HostId host) const;
  Result<void> change_address(HostId host, const IpAddress& address);
  Result<void> rebind(HostId host, const std::optional<IpAddress>& address);

  // --- links
  LinkOptions& default_link() { return default_link_; }
  Link& link(HostId from, HostId to);

  // --- sockets
  /// `local` as in Effect::kBindUdp. kIo with detail kAddressInUse or kAddressNotAvailable.
  Result<IpEndpoint> bind(HostId host, NodeId node, SocketId socket, const IpEndpoint& local);
  void close(HostId host, NodeId node, SocketId socket);
  void close_all(HostId host, NodeId node);
  static constexpr std::uint64_t kAddressInUse = 98, kAddressNotAvailable = 99;  // errno of Linux

  // --- datagrams
  void on_datagram(std::move_only_function<bool(const Datagram&)> filter) {
    filter_ = std::move(filter);
  }
  /// All segments of a transmit.
  void send(Instant now, HostId host, NodeId node, const Transmit& transmit, ByteView bytes);
  void inject(Instant now, HostId from, std::uint16_t from_port, HostId to, std::uint16_t to_port,
              ByteView bytes);

  /// Who gets an arrival.
  struct Delivery {
    NodeId node;
    InboundDatagram datagram;  ///< bytes valid until done()
  };
  /// Empty: nobody has the address and port any more.
  std::optional<Delivery> deliver(std::uint32_t slot);
  void done(std::uint32_t slot) { pool_.give_back(slot); }
  /// Do two arrivals go to the same socket?
  bool same_target(std::uint32_t slot, std::uint32_t other) {
    return pool_[slot].to == pool_[other].to;
  }
  const Packet& packet(std::uint32_t slot) { return pool_[slot]; }

 private:
  struct Address {
    IpAddress inner;  ///< what the host has
    IpAddress outer;  ///< what others see
  };
  struct Socket {
    NodeId node;
    SocketId id;
    IpEndpoint bound;
    std::uint16_t outer_port;
  };
  struct Host {
    std::vector<Address> addresses;
    std::vector<Socket> sockets;
    std::uint16_t next_port = 49152;
  };

  bool taken(const IpAddress& address) const { return owners_.contains({address, 0, 0}); }
  Result<void> set_outer(HostId host, Address& entry, const IpAddress& outer);
  std::optional<IpEndpoint> source(const Host& host, const Socket& socket,
                                   const Transmit& transmit) const;
  std::uint16_t free_port(Host& host);
  void send_one(Instant now, HostId from_host, const IpEndpoint& from, const IpEndpoint& to,
                Ecn ecn, ByteView bytes);
  void arrive(Instant at, HostId from_host, HostId to_host, const IpEndpoint& from,
              const IpEndpoint& to, Ecn ecn, ByteView bytes);

  Rng rng_;
  EventQueue& events_;
  Stats& stats_;
  DatagramPool pool_;
  LinkOptions default_link_;
  std::vector<Host> hosts_;
  std::unordered_map<IpEndpoint, HostId, IpEndpointHash> owners_;  // by outer address, port 0
  std::unordered_map<std::uint64_t, Link> links_;                  // by from << 32 | to
  std::move_only_function<bool(const Datagram&)> filter_;
};

}  // namespace p2pa::sim
