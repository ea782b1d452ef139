#include "sim/tcp_stack.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace p2pa::sim {
namespace {

using Kind = SocketEvent::Kind;

constexpr std::uint16_t kEphemeralPortMin = 49152;
constexpr std::size_t kTcpHeader = 20, kIp4Header = 20, kIp6Header = 40;
constexpr std::size_t kMtuMax = 1500;     // Ethernet's, whatever the link would take
constexpr std::size_t kSegmentMin = 536;  // what every path is taken to carry, RFC 9293 §3.7.1

std::size_t ip_header(const IpAddress& ip) { return ip.v6 ? kIp6Header : kIp4Header; }

}  // namespace

// --- hosts

TcpStack::Host& TcpStack::host(HostId id) {
  if (id >= hosts_.size()) hosts_.resize(id + 1);
  return hosts_[id];
}

void TcpStack::start(HostId id, NodeId node) { host(id).nodes.insert(node); }

void TcpStack::kill(HostId id, NodeId node) {
  Host& its = host(id);
  its.nodes.erase(node);
  std::erase_if(its.listeners, [&](const Listener& listener) { return listener.node == node; });
  for (auto it = by_name_.lower_bound({node, 0}); it != by_name_.end() && it->first.first == node;) {
    remove((it++)->second);
  }
  std::erase_if(heard_, [&](const Heard& heard) { return heard.node == node; });
}

void TcpStack::rebind(HostId id) {
  Host& its = host(id);
  its.rebound = true;
  for (Listener& listener : its.listeners) listener.outer_port = free_port(its);
  for (const auto& socket : sockets_) {
    if (!socket || socket->ends.host != id || socket->ends.remote.ip.is_loopback()) continue;
    if (socket->mapped) by_ends_.erase(socket->ends);
    socket->mapped = false;
  }
}

/// 0: all are taken.
std::uint16_t TcpStack::free_port(Host& its) const {
  const auto used = [&](std::uint16_t port) {
    return its.ports.contains(port) ||
           std::ranges::any_of(its.listeners, [&](const Listener& l) {
             return l.bound.port == port || l.outer_port == port;
           });
  };
  for (int tries = 65'536 - kEphemeralPortMin; tries > 0; --tries) {
    const bool wraps = its.last_port < kEphemeralPortMin || its.last_port == 65'535;
    its.last_port = wraps ? kEphemeralPortMin : static_cast<std::uint16_t>(its.last_port + 1);
    if (!used(its.last_port)) return its.last_port;
  }
  return 0;
}

// --- listeners

Result<IpEndpoint> TcpStack::listen(HostId id, NodeId node, SocketId socket,
                                    const IpEndpoint& local) {
  if (auto checked = network_.check_local(id, local.ip); !checked)
    return std::unexpected(checked.error());
  Host& its = host(id);
  const auto clashes = [&](const Listener& other) {
    return other.bound.port == local.port && overlap(other.bound.ip, local.ip);
  };
  IpEndpoint bound = local;
  if (bound.port == 0) bound.port = free_port(its);
  if (bound.port == 0 || std::ranges::any_of(its.listeners, clashes)) {
    return fail(Code::kIo, "listen: the port is taken", Network::kAddressInUse);
  }
  its.listeners.push_back({node, socket, bound, bound.port});
  return bound;
}

void TcpStack::close_listener(HostId id, NodeId node, SocketId socket) {
  Host& its = host(id);
  if (find_listener(its, socket, node) == nullptr) return;
  for (auto it = by_name_.lower_bound({node, kAcceptedSockets});
       it != by_name_.end() && it->first.first == node;) {
    const std::uint32_t index = (it++)->second;
    if (sockets_[index]->waits && sockets_[index]->listener == socket) remove(index);
  }
  std::erase_if(its.listeners,
                [&](const Listener& l) { return l.node == node && l.id == socket; });
}

TcpStack::Listener* TcpStack::find_listener(Host& its, SocketId id, NodeId node) {
  const auto it = std::ranges::find_if(
      its.listeners, [&](const Listener& l) { return l.node == node && l.id == id; });
  return it == its.listeners.end() ? nullptr : &*it;
}

// --- sockets

/// 2^40 apart, more than a connection ever sends: a segment of an old one fits in no new one.
std::uint64_t TcpStack::next_sequence() { return ++connections_ << 40; }

/// What the path takes, as if both ends had discovered it (RFC 1191).
std::size_t TcpStack::segment_max(HostId from, const IpAddress& to) {
  const HostId other = network_.owner(from, to);
  const std::size_t mtu =
      other == kNoHost ? kMtuMax : std::min(kMtuMax, network_.path_mtu(from, other));
  const std::size_t headers = kTcpHeader + ip_header(to);
  return mtu < headers + kSegmentMin ? kSegmentMin : mtu - headers;
}

void TcpStack::connect(Instant now, HostId id, NodeId node, SocketId socket,
                       const IpEndpoint& remote) {
  P2PA_ASSERT(socket != 0 && socket < kAcceptedSockets && !by_name_.contains({node, socket}));
  IpAddress any;
  any.v6 = remote.ip.v6;
  const auto source = network_.source_address(id, any, remote.ip);
  const std::uint16_t port = source ? free_port(host(id)) : 0;
  if (port == 0) {
    return tell(now, node,
                {.kind = Kind::kLost,
                 .socket = socket,
                 .error = {Code::kUnreachable, kNetworkUnreachable, "no route to that TCP address"}});
  }
  host(id).ports.insert(port);
  add(now, {.ends = {id, {source->outer, port, 0}, remote},
            .local = {source->inner, port, 0},
            .name = {node, socket},
            .connection = {now, next_sequence(), segment_max(id, remote.ip)}});
}

bool TcpStack::accept(Instant now, const TcpPacket& packet, const IpAddress& inner) {
  Host& its = host(packet.to_host);
  const auto listener = std::ranges::find_if(its.listeners, [&](const Listener& l) {
    return l.outer_port == packet.to.port && overlap(l.bound.ip, inner);
  });
  const TcpSegment& segment = packet.segment;
  if (listener == its.listeners.end() || !segment.syn || segment.ack) return false;
  if (listener->backlog == kBacklogMax) return true;
  ++listener->backlog;
  const SocketId socket = kAcceptedSockets + (accepted_++ & (kAcceptedSockets - 1));
  add(now, {.ends = {packet.to_host, packet.to, packet.from},
            .local = {inner, listener->bound.port, 0},
            .name = {listener->node, socket},
            .listener = listener->id,
            .waits = true,
            .connection = {now, next_sequence(), segment_max(packet.to_host, packet.from.ip),
                           segment}});
  return true;
}

void TcpStack::add(Instant now, Socket socket) {
  std::uint32_t index = static_cast<std::uint32_t>(sockets_.size());
  if (free_.empty()) {
    sockets_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  P2PA_ASSERT(!by_ends_.contains(socket.ends));
  by_ends_[socket.ends] = index;
  by_name_[socket.name] = index;
  sockets_[index] = std::make_unique<Socket>(std::move(socket));
  serve(now, index);
}

void TcpStack::remove(std::uint32_t index) {
  Socket& socket = *sockets_[index];
  forget(socket);
  leave_backlog(socket);
  if (socket.mapped) by_ends_.erase(socket.ends);
  if (socket.listener == 0) host(socket.ends.host).ports.erase(socket.local.port);
  deadlines_.set(index, kNever);
  sockets_[index].reset();
  free_.push_back(index);
}

void TcpStack::leave_backlog(Socket& socket) {
  if (!std::exchange(socket.waits, false)) return;
  Listener* const listener =
      find_listener(host(socket.ends.host), socket.listener, socket.name.first);
  if (listener != nullptr) --listener->backlog;
}

void TcpStack::forget(Socket& socket) {
  if (std::exchange(socket.known, false)) by_name_.erase(socket.name);
}

TcpStack::Socket* TcpStack::find(NodeId node, SocketId socket, std::uint32_t& index) {
  const auto it = by_name_.find({node, socket});
  if (it == by_name_.end()) return nullptr;
  index = it->second;
  return sockets_[index].get();
}

// --- what nodes ask for

void TcpStack::write(Instant now, NodeId node, SocketId id, ByteView bytes) {
  std::uint32_t index = 0;
  Socket* const socket = find(node, id, index);
  if (socket == nullptr) return;
  socket->connection.write(bytes);
  serve(now, index);
}

void TcpStack::finish(Instant now, NodeId node, SocketId id) {
  std::uint32_t index = 0;
  if (Socket* const socket = find(node, id, index); socket != nullptr) {
    forget(*socket);
    socket->connection.finish();
    serve(now, index);
  }
  std::erase_if(heard_, [&](const Heard& h) { return h.node == node && h.event.socket == id; });
}

void TcpStack::reset(Instant now, NodeId node, SocketId id) {
  std::uint32_t index = 0;
  if (Socket* const socket = find(node, id, index); socket != nullptr) {
    forget(*socket);
    socket->connection.reset();
    serve(now, index);
  }
  std::erase_if(heard_, [&](const Heard& h) { return h.node == node && h.event.socket == id; });
}

// --- what happens

TcpPacket TcpStack::take(std::uint32_t slot) {
  pool_.give_back(slot);
  return std::move(pool_[slot]);
}

bool TcpStack::on_segment(Instant now, const TcpPacket& packet) {
  const auto inner = network_.inner_address(packet.to_host, packet.to.ip);
  const auto it = by_ends_.find({packet.to_host, packet.to, packet.from});
  if (inner && it != by_ends_.end()) {
    const std::uint32_t index = it->second;
    sockets_[index]->connection.on_segment(now, packet.segment);
    serve(now, index);
  } else if (!inner || !accept(now, packet, *inner)) {
    ++stats_.unreachable;
    if (inner) refuse(now, packet);
    return false;
  }
  ++stats_.delivered;
  stats_.delivered_bytes += packet.segment.bytes.size();
  return true;
}

void TcpStack::on_deadline(Instant now) {
  const std::uint32_t index = deadlines_.top();
  sockets_[index]->connection.on_deadline(now);
  serve(now, index);
}

void TcpStack::serve(Instant now, std::uint32_t index) {
  Socket& socket = *sockets_[index];
  TcpConnection& connection = socket.connection;
  while (connection.poll_segment(now, segment_)) send(now, socket, segment_);
  for (TcpConnection::Event event; connection.poll_event(event);)
    tell(now, socket, std::move(event));
  if (connection.over()) return remove(index);
  deadlines_.set(index, connection.next_deadline());
}

// --- what nodes hear

void TcpStack::tell(Instant now, Socket& socket, TcpConnection::Event event) {
  if (event.kind == Kind::kAccepted) leave_backlog(socket);
  if (event.kind == Kind::kLost) forget(socket);
  tell(now, socket.name.first,
       {.kind = event.kind,
        .socket = socket.name.second,
        .listener = event.kind == Kind::kAccepted ? socket.listener : 0,
        .local = socket.local,
        .remote = socket.ends.remote,
        .error = event.error},
       std::move(event.bytes));
}

void TcpStack::tell(Instant now, NodeId node, SocketEvent event, Bytes bytes) {
  heard_.push_back({node, event, std::move(bytes)});
  if (!std::exchange(announced_, true)) events_.push(now, Event::Kind::kSocketEvents, 0);
}

bool TcpStack::poll_event(NodeId& node, SocketEvent& out) {
  if (heard_.empty()) {
    announced_ = false;
    return false;
  }
  Heard& heard = heard_.front();
  node = heard.node;
  out = heard.event;
  heard_bytes_ = std::move(heard.bytes);
  out.bytes = heard_bytes_;
  heard_.pop_front();
  return true;
}

// --- sending

void TcpStack::refuse(Instant now, const TcpPacket& packet) {
  const TcpSegment& segment = packet.segment;
  const Host& its = host(packet.to_host);
  const bool silent = its.nodes.empty() || (its.rebound && !packet.to.ip.is_loopback());
  if (segment.rst || silent) return;
  segment_.clear();
  segment_.rst = true;  // RFC 9293 §3.10.7.1
  segment_.sequence = segment.ack ? segment.acknowledged : 0;
  segment_.ack = !segment.ack;
  segment_.acknowledged = segment.end();
  send(now, {packet.to_host, packet.to, packet.from}, segment_);
}

void TcpStack::send(Instant now, const Socket& socket, TcpSegment& segment) {
  if (socket.mapped) return send(now, socket.ends, segment);
  ++stats_.sent;
  stats_.sent_bytes += segment.bytes.size();
  ++stats_.unreachable;
}

void TcpStack::send(Instant now, const Ends& ends, TcpSegment& segment) {
  ++stats_.sent;
  stats_.sent_bytes += segment.bytes.size();
  const HostId to = network_.owner(ends.host, ends.remote.ip);
  // Who moved cannot send from where it was.
  if (to == kNoHost || !network_.inner_address(ends.host, ends.local.ip)) {
    ++stats_.unreachable;
    return;
  }
  const auto passage =
      network_.carry(now, ends.host, to,
                     ip_header(ends.remote.ip) + segment.header_size() + segment.bytes.size());
  if (!passage) return;
  for (int copies = passage->twice ? 2 : 1; copies > 0; --copies) {
    const std::uint32_t slot = pool_.take();
    pool_[slot] = {ends.host, to, ends.local, ends.remote, segment};
    events_.push(passage->at, Event::Kind::kSegment, slot);
  }
}

}  // namespace p2pa::sim
