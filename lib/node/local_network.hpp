#pragma once
// The local network of a node: its machine, from the first use on, and the sockets of that.

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "lan/lan.hpp"
#include "node/driver.hpp"
#include "p2pagents/node.hpp"

namespace p2pa {

class LocalNetwork final {
 public:
  /// REQUIRES that all outlive it.
  LocalNetwork(const NodeOptions& options, SocketNumbers& numbers, Rng& rng, lan::Admission admission,
               lan::Deliver deliver);

  /// Asks for sockets the first time. kClosed: after close().
  Result<lan::Lan*> use(Instant now);
  /// Null: nobody used it yet, or it is closed.
  lan::Lan* machine() { return lan_.get(); }
  const lan::Lan* machine() const { return lan_.get(); }
  LanCounters counters() const { return lan_ ? lan_->counters() : last_; }

  /// This host has these addresses; groups are joined on what is new.
  void set_interfaces(const std::vector<InterfaceAddress>& interfaces);
  bool poll_effect(Effect& out);
  bool has_effects() const { return !effects_.empty(); }
  /// Is it the answer to an effect of ours?
  bool owns(const EffectDone& effect) const;
  /// What came of one. An error: nothing can be heard, since no port could be bound. REQUIRES owns().
  Result<void> done(const EffectDone& effect);
  /// Where it is heard.
  Multiaddr address() const;
  void close();

 private:
  struct Socket {
    SocketId id;
    bool v6;
    bool group;  // hears the group; else our own
    bool bound = false;
  };
  void bind(bool v6, bool group);
  void join(const Socket& socket);
  void set_ready();

  const NodeOptions& options_;
  SocketNumbers& numbers_;
  Rng& rng_;
  lan::Admission admission_;
  lan::Deliver deliver_;
  std::unique_ptr<lan::Lan> lan_;
  std::optional<std::vector<InterfaceAddress>> interfaces_;
  std::vector<Socket> sockets_;
  std::size_t binding_ = 0;
  std::deque<Effect> effects_;
  LanCounters last_;
  bool closed_ = false;
};

}  // namespace p2pa
