#pragma once
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "address/interface_address.hpp"
#include "address/ip_endpoint.hpp"
#include "crypto/rng.hpp"
#include "p2pagents/sim.hpp"
#include "sim/event_queue.hpp"
#include "sim/link.hpp"
#include "sim/packet_pool.hpp"
#include "transport/transport.hpp"

namespace p2pa::sim {

/// A datagram between its sending and its arrival, addressed as the open network sees it (behind
/// the senders' and receivers' NATs).
struct Packet {
  HostId from_host = kNoHost, to_host = kNoHost;
  IpEndpoint from, to;
  Ecn ecn = Ecn::kNone;
  Bytes bytes;
  NodeId node = 0;      ///< with a socket: sent to all, and this is the copy for that one
  SocketId socket = 0;
};

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
  /// The same as the host's system lists them.
  std::vector<InterfaceAddress> interfaces(HostId host) const;
  Result<void> change_address(HostId host, const IpAddress& address);
  Result<void> rebind(HostId host, const std::optional<IpAddress>& address);

  // --- links
  LinkOptions& default_link() { return default_link_; }
  Link& link(HostId from, HostId to);

  // --- IP, for every transport
  struct Address {
    IpAddress inner;  ///< what the host has
    IpAddress outer;  ///< what others see
  };
  /// What a host sends from to `to`: its loopback, or the first address of the family that a socket
  /// bound to `bound` may use. Empty: it has none.
  std::optional<Address> source_address(HostId host, const IpAddress& bound,
                                        const IpAddress& to) const;
  /// kIo with kAddressNotAvailable: a socket of the host cannot be bound to this address.
  Result<void> check_local(HostId host, const IpAddress& ip) const;
  /// Whom a packet of `from` reaches at this address; kNoHost: nobody has it.
  HostId owner(HostId from, const IpAddress& to) const;
  /// What the host itself calls the address that others reach it by; empty: not its own any more.
  std::optional<IpAddress> inner_address(HostId host, const IpAddress& outer) const;
  struct Passage {
    Instant at;  ///< when it arrives
    bool twice;  ///< a copy arrives at the same time
  };
  /// Sends an IP packet of `size` bytes on its way; empty: it is lost, and the stats know why.
  std::optional<Passage> carry(Instant now, HostId from, HostId to, std::size_t size);
  /// The largest IP packet that both directions between two hosts take.
  std::size_t path_mtu(HostId a, HostId b);

  // --- sockets
  /// `local` as in Effect::kBindUdp; `shared`: others may have the port too. kIo with detail kAddressInUse or
  /// kAddressNotAvailable.
  Result<IpEndpoint> bind(HostId host, NodeId node, SocketId socket, const IpEndpoint& local, bool shared = false);
  void join(HostId host, NodeId node, SocketId socket, const IpAddress& group);
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
    const Packet &a = pool_[slot], &b = pool_[other];
    return a.to == b.to && a.to_host == b.to_host && a.node == b.node && a.socket == b.socket;
  }
  const Packet& packet(std::uint32_t slot) { return pool_[slot]; }

 private:
  struct Socket {
    NodeId node;
    SocketId id;
    IpEndpoint bound;
    std::uint16_t outer_port;
    bool shared = false;
    std::optional<IpAddress> group{};  // that it joined
  };
  struct Host {
    std::vector<Address> addresses;
    std::vector<Socket> sockets;
    std::uint16_t next_port = 49152;
  };

  bool taken(const IpAddress& address) const { return owners_.contains({address, 0, 0}); }
  Result<void> set_outer(HostId host, Address& entry, const IpAddress& outer);
  std::optional<IpEndpoint> source(HostId host, const Socket& socket,
                                   const Transmit& transmit) const;
  const LinkOptions& options(const Link& link) const {
    return link.options ? *link.options : default_link_;
  }
  std::uint16_t free_port(Host& host);
  void send_one(Instant now, HostId from_host, const IpEndpoint& from, const IpEndpoint& to,
                Ecn ecn, ByteView bytes);
  void send_to_all(Instant now, HostId from_host, const IpEndpoint& from, const IpEndpoint& to, Ecn ecn,
                   ByteView bytes);
  /// What the filter lets pass, on its way; empty: counted.
  std::optional<Passage> set_out(Instant now, HostId from_host, HostId to_host, const IpEndpoint& from,
                                 const IpEndpoint& to, ByteView bytes);
  Packet& arrive(Instant at, HostId from_host, HostId to_host, const IpEndpoint& from,
                 const IpEndpoint& to, Ecn ecn, ByteView bytes);

  Rng rng_;
  EventQueue& events_;
  Stats& stats_;
  PacketPool<Packet> pool_;
  LinkOptions default_link_;
  std::vector<Host> hosts_;
  std::unordered_map<IpEndpoint, HostId, IpEndpointHash> owners_;  // by outer address, port 0
  std::unordered_map<std::uint64_t, Link> links_;                  // by from << 32 | to
  std::move_only_function<bool(const Datagram&)> filter_;
};

/// Do two sockets' local addresses claim the same one?
bool overlap(const IpAddress& a, const IpAddress& b);

}  // namespace p2pa::sim
