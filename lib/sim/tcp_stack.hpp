#pragma once
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sim/deadline_heap.hpp"
#include "sim/event_queue.hpp"
#include "sim/network.hpp"
#include "sim/packet_pool.hpp"
#include "sim/tcp_connection.hpp"

namespace p2pa::sim {

/// TCP of all hosts of a world. What nodes ask for (node/driver.hpp says what each means) becomes
/// segments that cross the network, as events of kind kSegment; what nodes shall hear waits in
/// poll_event(), announced by an event of kind kSocketEvents. (Its hash map is looked up, never
/// walked.)
class TcpStack final {
 public:
  /// Handshakes under way at one listener; further SYNs are dropped.
  static constexpr std::size_t kBacklogMax = 128;
  static constexpr std::uint64_t kNetworkUnreachable = 101;  // errno of Linux

  TcpStack(Network& network, EventQueue& events, Stats& stats)
      : network_(network), events_(events), stats_(stats) {}

  // --- hosts
  /// A node lives on the host now: it answers what no socket is there for. (A host whose nodes all
  /// died is off and silent.)
  void start(HostId host, NodeId node);
  /// The node is gone, without a word to its peers. What it finished is its host's and goes on.
  void kill(HostId host, NodeId node);
  /// The NAT before the host forgot its mappings: its listeners are seen at other ports, and its
  /// connections reach nobody. From then on what has no mapping is dropped instead of refused.
  void rebind(HostId host);

  // --- what nodes ask for
  /// kIo with detail kAddressInUse or kAddressNotAvailable of Network.
  Result<IpEndpoint> listen(HostId host, NodeId node, SocketId socket, const IpEndpoint& local);
  void close_listener(HostId host, NodeId node, SocketId socket);
  void connect(Instant now, HostId host, NodeId node, SocketId socket, const IpEndpoint& remote);
  /// Of a socket that is lost already, nothing. REQUIRES no write of it is under way.
  void write(Instant now, NodeId node, SocketId socket, ByteView bytes);
  void finish(Instant now, NodeId node, SocketId socket);
  void reset(Instant now, NodeId node, SocketId socket);

  // --- what happens
  /// The segment that an event of kind kSegment is about, once.
  TcpPacket take(std::uint32_t slot);
  /// It arrives; false: at nobody.
  bool on_segment(Instant now, const TcpPacket& packet);
  Instant next_deadline() const { return deadlines_.next(); }
  void on_deadline(Instant now);
  /// Something for a node to hear; its bytes are valid until the next call.
  bool poll_event(NodeId& node, SocketEvent& out);

  /// Connections that still take memory, those that their nodes have done with included.
  std::size_t connections_count() const { return sockets_.size() - free_.size(); }

 private:
  struct Listener {
    NodeId node;
    SocketId id;
    IpEndpoint bound;
    std::uint16_t outer_port;
    std::size_t backlog = 0;
  };
  struct Host {
    std::set<NodeId> nodes;  ///< alive
    std::vector<Listener> listeners;
    std::set<std::uint16_t> ports;  ///< of sockets that dialed
    std::uint16_t last_port = 0;
    bool rebound = false;
  };
  /// The two ends as seen from one host; loopback addresses are those of this host.
  struct Ends {
    HostId host;
    IpEndpoint local, remote;  ///< local: as others see it
    friend bool operator==(const Ends&, const Ends&) = default;
  };
  struct EndsHash {
    std::size_t operator()(const Ends& ends) const noexcept {
      const IpEndpointHash hash;
      return (hash(ends.local) * 31 + hash(ends.remote)) * 31 + ends.host;
    }
  };
  using Name = std::pair<NodeId, SocketId>;
  struct Socket {
    Ends ends;
    IpEndpoint local;  ///< as the host itself has it
    Name name;
    SocketId listener = 0;  ///< it came in on
    bool mapped = true;     ///< false: its NAT has forgotten it
    bool known = true;      ///< to its node
    bool waits = false;     ///< in its listener's backlog
    TcpConnection connection;
  };
  struct Heard {
    NodeId node;
    SocketEvent event;
    Bytes bytes;
  };

  Host& host(HostId id);
  Listener* find_listener(Host& host, SocketId id, NodeId node);
  std::uint16_t free_port(Host& host) const;
  std::size_t segment_max(HostId host, const IpAddress& to);
  std::uint64_t next_sequence();
  Socket* find(NodeId node, SocketId socket, std::uint32_t& index);

  /// False: it does not begin a connection with anybody here.
  bool accept(Instant now, const TcpPacket& packet, const IpAddress& inner);
  void refuse(Instant now, const TcpPacket& packet);
  void add(Instant now, Socket socket);
  void remove(std::uint32_t index);
  void leave_backlog(Socket& socket);
  void forget(Socket& socket);
  /// Sends and tells what a connection has to, and looks when it wants to be asked next.
  void serve(Instant now, std::uint32_t index);
  void tell(Instant now, Socket& socket, TcpConnection::Event event);
  void tell(Instant now, NodeId node, SocketEvent event, Bytes bytes = {});
  void send(Instant now, const Socket& socket, TcpSegment& segment);
  void send(Instant now, const Ends& ends, TcpSegment& segment);

  Network& network_;
  EventQueue& events_;
  Stats& stats_;
  PacketPool<TcpPacket> pool_;
  std::deque<Host> hosts_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  std::vector<std::uint32_t> free_;
  DeadlineHeap deadlines_;  ///< of sockets
  std::unordered_map<Ends, std::uint32_t, EndsHash> by_ends_;
  std::map<Name, std::uint32_t> by_name_;  ///< those that nodes know
  std::deque<Heard> heard_;
  Bytes heard_bytes_;  ///< what poll_event() lends
  bool announced_ = false;
  TcpSegment segment_;  ///< the one being sent
  std::uint64_t connections_ = 0;
  SocketId accepted_ = 0;
};

}  // namespace p2pa::sim
