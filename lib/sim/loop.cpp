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
  const Instant next = std::min(events.next(), deadlines.next());
  if (!failure.empty() || next > limit || next == kNever) return false;
  steps_in_instant = next > now ? 0 : steps_in_instant + 1;
  if (steps_in_instant > kStepsInInstantMax) return fail("time stands still"), false;
  now = std::max(now, next);  // a deadline may lie in the past; time never goes back
  ++stats.events;
  if (events.next() <= deadlines.next()) {
    const Event event = events.pop();
    if (event.kind == Event::Kind::kArrival) {
      on_arrival(event.slot);
    } else {
      auto fn = std::exchange(calls[event.slot], nullptr);
      calls_free.push_back(event.slot);
      fn();
    }
  } else {
    on_deadline(deadlines.top());
  }
  return true;
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

void World::Impl::call_node(NodeId id, std::move_only_function<void(Node&)> fn) {
  call(now, [this, id, life = slots[id].life, fn = std::move(fn)]() mutable {
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
  trace.add(static_cast<std::uint64_t>(now.ns));
  trace.add(std::uint64_t{packet.from_host} << 32 | packet.to_host);
  trace.add(std::uint64_t{packet.from.port} << 48 | std::uint64_t{packet.to.port} << 32 |
            packet.bytes.size());
  trace.add(packet.from.ip.bytes);
  trace.add(packet.to.ip.bytes);
  if (trace_tap) {
    trace_tap(time_text() + ' ' + packet.from.to_string() + " > " + packet.to.to_string() + ' ' +
              std::to_string(packet.bytes.size()));
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
