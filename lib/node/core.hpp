#pragma once
// The composition root: one node, deterministic and single-threaded. It never touches a socket, a
// clock, a thread, a file or the system's entropy; a driver (io/ or sim/) runs it.

#include <functional>
#include <memory>

#include "node/driver.hpp"
#include "p2pagents/node.hpp"

namespace p2pa {

namespace resource {
class Manager;
}

/// What a core is told of the machine it runs on, and else takes to be the least that there is.
struct Machine {
  bool aes = false;  ///< the processor has instructions for AES-256-GCM
};

class NodeCore final {
 public:
  /// `seed32`: all entropy the core will ever have. `unix_time`: wall clock seconds, for
  /// certificates and records only. REQUIRES options.key is set and check_options() takes them.
  NodeCore(NodeOptions options, ByteView seed32, std::int64_t unix_time, Instant now, Machine machine = {});
  ~NodeCore();

  // --- what a driver does, in this order, each time something happened
  void handle(Instant now, const InboundDatagram& datagram);
  void handle(Instant now, const SocketEvent& event);
  void handle(Instant now, const EffectDone& done);
  void handle(Instant now, const dns::Answer& answer);
  void on_deadline(Instant now);
  /// The addresses of this host may have changed: the core asks for them.
  void interfaces_changed();
  /// Routes what happened to protocols and callbacks. Bounded work: true when there is more to do
  /// at once (the driver sends what is ready and calls again).
  bool turn(Instant now);
  bool poll_effect(Effect& out);
  bool poll_transmit(Instant now, MutableBytes buffer, const TransmitLimits& limits, Transmit& out);
  /// Fills `buffer` (>= 65,536 bytes) with the next bytes for one TCP socket. False: nothing now.
  bool poll_write(Instant now, MutableBytes buffer, SocketWrite& out);
  /// kNever: only input will change anything. An instant in the past: call on_deadline now.
  Instant next_deadline() const;
  /// Has something been asked of the node since its last turn? Then a driver does not wait.
  bool has_work() const;

  /// Sees every event, before the handler of Node::on_event(). For who runs the node.
  void set_event_tap(std::move_only_function<void(const NodeEvent&)> tap);
  /// What is in use, and its bounds.
  const resource::Manager& resources() const;

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace p2pa
