// The loop of a world: the next thing in time, one after the other.

#include <algorithm>
#include <string>
#include <utility>

#include "base/assert.hpp"
#include "sim/event_log.hpp"
#include "sim/impl.hpp"

namespace p2pa::sim {
namespace {

/// Links without delay and rate may bring many datagrams in one instant, but not that many.
constexpr std::uint64_t kStepsInInstantMax = 200'000;

}  // namespace

bool World::Impl::run_until(std::move_only_function<bool()>& done, Duration limit) {
  P2PA_ASSERT(!in_turn);
  const Instant end = now + limit;
  settle();
  for (;;) {
    if (!failure.empty()) return false;
    if (done()) return true;
    if (!step(end)) break;
  }
  if (failure.empty()) now = end;
  return false;
}

Result<int> World::Impl::poll(NodeId id, Duration timeout, int budget) {
  if (in_turn) return p2pa::fail(Code::kInvalidState, "poll inside a turn");
  const std::uint64_t life = slots[id].life, works_before = slots[id].works;
  const Instant begin = now, end = now + timeout;
  const auto works = [&] { return static_cast<int>(slots[id].works - works_before); };
  const auto step_to = [&](Instant limit) {
    const bool stepped = step(limit);
    P2PA_ASSERT(slots[id].node && slots[id].life == life);  // nobody kills who polls
    return stepped;
  };
  settle();
  while (works() < budget && step_to(begin)) {
  }
  while (works() == 0 && step_to(end)) {
  }
  if (works() == 0 && failure.empty()) now = end;
  return works();
}

void World::Impl::settle() {
  for (NodeId id = 0; id < slots.size(); ++id) {
    if (!slots[id].node) continue;
    if (slots[id].node->core().has_work()) ++slots[id].works;
    serve(id);
  }
}

bool World::Impl::step(Instant limit) {
  const Instant next_timer = std::min(tcp.next_deadline(), deadlines.next());
  const Instant next = std::min(events.next(), next_timer);
  if (!failure.empty() || next > limit || next == kNever) return false;
  steps_in_instant = next > now ? 0 : steps_in_instant + 1;
  if (steps_in_instant > kStepsInInstantMax) return fail("time stands still"), false;
  now = std::max(now, next);  // a deadline may lie in the past; time never goes back
  ++stats.events;
  if (events.next() <= next_timer) {
    on_event(events.pop());
  } else if (tcp.next_deadline() <= deadlines.next()) {
    tcp.on_deadline(now);
  } else {
    on_deadline(deadlines.top());
  }
  return true;
}

void World::Impl::on_event(const Event& event) {
  switch (event.kind) {
    case Event::Kind::kArrival:
      return on_arrival(event.slot);
    case Event::Kind::kSegment:
      return on_segment(event.slot);
    case Event::Kind::kSocketEvents:
      return on_socket_events();
    case Event::Kind::kCall: {
      auto fn = std::exchange(calls[event.slot], nullptr);
      calls_free.push_back(event.slot);
      fn();
    }
  }
}

void World::Impl::call(Instant at, std::move_only_function<void()> fn) {
  std::uint32_t slot = static_cast<std::uint32_t>(calls.size());
  if (calls_free.empty()) {
    calls.push_back(std::move(fn));
  } else {
    slot = calls_free.back();
    calls_free.pop_back();
    calls[slot] = std::move(fn);
  }
  events.push(at, Event::Kind::kCall, slot);
}

void World::Impl::call_node(Instant at, NodeId id, std::move_only_function<void(Node&)> fn) {
  call(at, [this, id, life = slots[id].life, fn = std::move(fn)]() mutable {
    if (!slots[id].node || slots[id].life != life) return;
    in_turn = true;
    fn(*slots[id].node);
    in_turn = false;
    ++slots[id].works;
    serve(id);
  });
}

// --- the trace

std::string World::Impl::time_text() const {
  return std::to_string((now - kBegin).us()) + " us";
}

void World::Impl::trace_delivery(const Packet& packet) {
  trace_passage(packet.from_host, packet.to_host, packet.from, packet.to, packet.bytes.size());
}

void World::Impl::trace_delivery(const TcpPacket& packet) {
  const TcpSegment& segment = packet.segment;
  trace.add(segment.sequence);
  trace.add(segment.acknowledged);
  trace.add((segment.syn ? 1u : 0u) | (segment.fin ? 2u : 0u) | (segment.rst ? 4u : 0u));
  trace_passage(packet.from_host, packet.to_host, packet.from, packet.to, segment.bytes.size());
}

void World::Impl::trace_passage(HostId from_host, HostId to_host, const IpEndpoint& from,
                                const IpEndpoint& to, std::size_t size) {
  trace.add(static_cast<std::uint64_t>(now.ns));
  trace.add(std::uint64_t{from_host} << 32 | to_host);
  trace.add(std::uint64_t{from.port} << 48 | std::uint64_t{to.port} << 32 | size);
  trace.add(from.ip.bytes);
  trace.add(to.ip.bytes);
  if (trace_tap) {
    trace_tap(time_text() + ' ' + from.to_string() + " > " + to.to_string() + ' ' +
              std::to_string(size));
  }
}

void World::Impl::trace_event(NodeId id, const NodeEvent& event) {
  trace.add(static_cast<std::uint64_t>(now.ns));
  trace.add(std::uint64_t{id} << 32 | static_cast<std::uint64_t>(event.kind) << 8 |
            (event.last ? 1 : 0));
  trace.add(event.peer.bytes());
  trace.add(event.address.bytes());
  trace.add(event.connection);
  trace.add(static_cast<std::uint64_t>(event.error.code));
  trace.add(event.error.detail);
  if (trace_tap)
    trace_tap(time_text() + " node " + std::to_string(id) + ' ' + EventLog::line(event));
  if (event_tap) event_tap(id, event);
}

void World::Impl::trace_note(const std::string& line) {
  trace.add(static_cast<std::uint64_t>(now.ns));
  trace.add(as_bytes(line));
  if (trace_tap) trace_tap(time_text() + " note " + line);
}

void World::Impl::fail(const std::string& why) {
  if (!failure.empty()) return;
  failure = "seed " + std::to_string(seed) + ", scenario \"" + scenario + "\", " + time_text() +
            ": " + why;
}

}  // namespace p2pa::sim
