// Starting, running and killing the nodes of a world, as a driver of each.

#include <array>
#include <utility>

#include "base/assert.hpp"
#include "sim/impl.hpp"
#include "sim/node_driver.hpp"

namespace p2pa::sim {
namespace {

/// What one sendmsg with GSO takes, so that cores build bursts as they do for real.
constexpr std::size_t kSegmentsMax = 16;
constexpr std::size_t kTransmitBuffer = 65'536;
/// Arrivals of one instant that a node handles before its turn, as a driver that reads in batches.
constexpr int kBatchMax = 64;
/// A node that goes on for longer without input and without time passing is broken.
constexpr std::uint32_t kStepsMax = 100'000;
constexpr Duration kSpinWindow = milliseconds(1);

}  // namespace

NodeId World::Impl::add_node(NodeOptions options, HostId host) {
  const NodeId id = static_cast<NodeId>(slots.size());
  std::array<std::uint8_t, KeyPair::kSeedSize> key_seed;
  node_rng.fill(key_seed);  // drawn in any case: a given key changes nobody else's
  if (!options.key) options.key = KeyPair::from_seed(key_seed);
  Slot& slot = slots.emplace_back();
  slot.host = host == kNoHost ? network.add_host() : host;
  slot.key = options.key->to_protobuf();
  start(id, std::move(options));
  return id;
}

void World::Impl::start(NodeId id, NodeOptions options) {
  P2PA_ASSERT(slots[id].node == nullptr);
  auto key = KeyPair::from_protobuf(slots[id].key);
  P2PA_ASSERT(key.has_value());
  options.key = std::move(*key);
  std::array<std::uint8_t, 32> entropy;
  node_rng.fill(entropy);
  const std::int64_t wall = kUnixTimeBegin + (now - kBegin).ns / 1'000'000'000;
  auto core = std::make_unique<NodeCore>(std::move(options), entropy, wall, now);
  core->set_event_tap([this, id](const NodeEvent& event) { trace_event(id, event); });
  ++slots[id].life;
  tcp.start(slots[id].host, id);
  slots[id].node = std::make_unique<Node>(std::move(core), std::make_unique<NodeDriver>(*this, id));
  call_node(id, [](Node&) {});  // its first turn: it binds its sockets
}

void World::Impl::kill(NodeId id) {
  if (in_turn) return call(now, [this, id] { kill(id); });
  Slot& slot = slots[id];
  network.close_all(slot.host, id);
  tcp.kill(slot.host, id);
  deadlines.set(id, kNever);
  in_turn = true;  // completions may run while it goes
  std::exchange(slot.node, nullptr).reset();
  in_turn = false;
}

// --- input

void World::Impl::on_arrival(std::uint32_t packet) {
  const auto delivery = network.deliver(packet);
  if (!delivery) return network.done(packet);
  const NodeId id = delivery->node;
  trace_delivery(network.packet(packet));
  slots[id].node->core().handle(now, delivery->datagram);
  slots[id].idle_deadlines = 0;
  ++slots[id].works;
  for (int batch = 1; batch < kBatchMax && events.next() == now; ++batch) {
    const Event& next = events.top();
    if (next.kind != Event::Kind::kArrival || !network.same_target(next.slot, packet)) break;
    const std::uint32_t more = events.pop().slot;
    ++stats.events;
    network.done(packet);
    packet = more;
    const auto another = network.deliver(packet);
    P2PA_ASSERT(another && another->node == id);
    trace_delivery(network.packet(packet));
    slots[id].node->core().handle(now, another->datagram);
  }
  network.done(packet);
  serve(id);
}

void World::Impl::on_segment(std::uint32_t slot) {
  const TcpPacket packet = tcp.take(slot);
  if (tcp.on_segment(now, packet)) trace_delivery(packet);
}

void World::Impl::on_socket_events() {
  NodeId id = 0;
  SocketEvent event{};
  while (tcp.poll_event(id, event)) {
    if (id == RawTcp::kNobody) {
      raw_tcp.handle(now, event);
      continue;
    }
    slots[id].node->core().handle(now, event);
    slots[id].idle_deadlines = 0;
    ++slots[id].works;
    serve(id);
  }
}

void World::Impl::on_deadline(NodeId id) {
  Slot& slot = slots[id];
  ++slot.works;
  if (now - slot.idle_since > kSpinWindow) {
    slot.idle_since = now;
    slot.idle_deadlines = 0;
  }
  if (++slot.idle_deadlines > kStepsMax)
    return fail("node " + std::to_string(id) + " spins on deadlines");
  slot.node->core().on_deadline(now);
  serve(id);
}

// --- output

void World::Impl::serve(NodeId id) {
  P2PA_ASSERT(!in_turn);
  in_turn = true;
  NodeCore& core = slots[id].node->core();
  for (std::uint32_t steps = 0;; ++steps) {
    const bool more = core.turn(now);
    ++stats.turns;
    drain_effects(id);
    drain_transmits(id);
    drain_writes(id);
    if (!more && !core.has_work()) break;  // sending may have raised events
    if (steps == kStepsMax) {
      fail("node " + std::to_string(id) + " spins in its turn");
      break;
    }
  }
  in_turn = false;
  deadlines.set(id, core.next_deadline());
  if (turn_hook) turn_hook(id);
}

void World::Impl::drain_effects(NodeId id) {
  Effect effect{};
  while (slots[id].node->core().poll_effect(effect))
    run_effect(id, std::exchange(effect, Effect{}));
}

void World::Impl::drain_transmits(NodeId id) {
  buffer.resize(kTransmitBuffer);
  Transmit transmit{};
  for (std::uint32_t count = 0;
       slots[id].node->core().poll_transmit(now, buffer, {.segments_max = kSegmentsMax}, transmit);
       ++count) {
    if (count == kStepsMax)
      return fail("node " + std::to_string(id) + " sends without end in one instant");
    network.send(now, slots[id].host, id, transmit, ByteView(buffer).first(transmit.size));
  }
}

void World::Impl::drain_writes(NodeId id) {
  buffer.resize(kTransmitBuffer);
  SocketWrite write{};
  for (std::uint32_t count = 0; slots[id].node->core().poll_write(now, buffer, write); ++count) {
    if (count == kStepsMax)
      return fail("node " + std::to_string(id) + " writes without end in one instant");
    tcp.write(now, id, write.socket, ByteView(buffer).first(write.size));
  }
}

void World::Impl::run_effect(NodeId id, Effect effect) {
  const HostId host = slots[id].host;
  EffectDone done{.id = effect.id, .result = {}, .local = {}, .addresses = {}, .bytes = {}};
  switch (effect.kind) {
    case Effect::Kind::kBindUdp: {
      const auto bound = network.bind(host, id, effect.socket, effect.local, effect.lan && effect.local.port != 0);
      if (bound)
        done.local = *bound;
      else
        done.result = std::unexpected(bound.error());
      break;
    }
    case Effect::Kind::kListenTcp: {
      const auto bound = tcp.listen(host, id, effect.socket, effect.local);
      if (bound)
        done.local = *bound;
      else
        done.result = std::unexpected(bound.error());
      break;
    }
    case Effect::Kind::kCloseListener:
      return tcp.close_listener(host, id, effect.socket);
    case Effect::Kind::kConnectTcp:
      return tcp.connect(now, host, id, effect.socket, effect.remote);
    case Effect::Kind::kFinishTcp:
      return tcp.finish(now, id, effect.socket);
    case Effect::Kind::kAbortTcp:
      return tcp.reset(now, id, effect.socket);
    case Effect::Kind::kListInterfaces:
      done.addresses = network.interfaces(host);
      break;
    case Effect::Kind::kJoinGroup:
      return network.join(host, id, effect.socket, effect.remote.ip);
    case Effect::Kind::kCloseUdp:
      return network.close(host, id, effect.socket);
    case Effect::Kind::kAppendFile: {
      Bytes& file = files[{host, effect.path}];
      file.insert(file.end(), effect.bytes.begin(), effect.bytes.end());
      return;
    }
    case Effect::Kind::kReadFile: {
      const auto file = files.find({host, effect.path});
      if (file == files.end()) {
        done.result = p2pa::fail(Code::kIo, "no such file");
      } else {
        done.bytes = file->second;
      }
      break;
    }
    case Effect::Kind::kQueryDns:
      return query_dns(id, effect.query);
  }
  call_node(id, [this, done = std::move(done)](Node& node) {
    node.core().handle(now, done);
  });
}

void World::Impl::query_dns(NodeId id, const dns::Query& query) {
  ++stats.dns_queries;
  auto answered = name_server.answer(query);
  call_node(now + answered.second, id, [this, answer = std::move(answered.first)](Node& node) {
    node.core().handle(now, answer);
  });
}

}  // namespace p2pa::sim
