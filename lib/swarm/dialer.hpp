#pragma once
// The dials of a node: asks the transports, joins who wants the same peer, and answers everybody once.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "dns/resolver.hpp"
#include "peerstore/peerstore.hpp"
#include "swarm/address_chooser.hpp"
#include "swarm/dial.hpp"
#include "swarm/report_builder.hpp"
#include "transport/transport.hpp"

namespace p2pa::swarm {

inline constexpr std::size_t kDialWaitersMax = 1024;

using DialDone = std::move_only_function<void(Instant, Result<Connection*>, const DialReport&)>;

/// A port: what the dialer asks and tells whom it dials for. Called in a turn.
class DialerHost {
 public:
  virtual ~DialerHost() = default;
  /// The established connection that makes a dial to the peer needless; null when there is none.
  virtual Connection* best_connection(const PeerId& peer) const = 0;
  /// kGated, perhaps; when a dial is asked for, and when an address is tried.
  virtual Result<void> may_dial(const PeerId& peer) const = 0;
  virtual Result<void> may_try(const PeerId& peer, const Multiaddr& address) const = 0;
  /// Streams went over this attempt before it was established.
  virtual bool has_early_streams(const Connection& attempt) const = 0;
  /// One address of a dial did not work, or is not tried; others may work.
  virtual void on_attempt_failed(const PeerId& peer, const Multiaddr& address, const Error& why) = 0;
  /// No dial to the report's peer is under way any more; null when it was not reached. Whoever asked was told.
  virtual void on_dial_ended(Instant now, const std::shared_ptr<const DialReport>& report, Connection* connection) = 0;
};

class Dialer final {
 public:
  /// `self`: whom it never dials. `names`: null where addresses with names are not dialed. REQUIRES that all
  /// others outlive the dialer, and that `names` has no turn after it.
  Dialer(const PeerId& self, const std::vector<Transport*>& transports, peerstore::Peerstore& peers,
         dns::Resolver* names, DialerHost& host, DialPrivate dial_private)
      : self_(self),
        transports_(transports),
        store_(peers),
        names_(names),
        host_(host),
        chooser_(peers, dial_private) {}

  // --- asking; the answer comes in a turn

  /// Connects by everything the peerstore knows that is worth a try, or by one address, which is in any case.
  /// Joins a dial that is under way and is satisfied by a connection that exists. `done` comes once.
  void dial(const PeerId& peer, DialDone done, const DialOptions& options = {});
  void dial(const Multiaddr& address, DialDone done, const DialOptions& options = {});
  /// Gives up a dial that is under way and what was asked in this turn (kCancelled).
  void give_up(const PeerId& peer);
  /// Something was asked since the last turn.
  bool has_work() const { return !requests_.empty() || !given_up_.empty(); }

  // --- in a turn

  void turn(Instant now);
  /// Begins to dial the peer by what the peerstore knows, for nobody in particular. It may have ended already
  /// when this returns. REQUIRES !dialing(peer).
  void start(Instant now, const PeerId& peer);
  /// Goes on with every dial: time has passed, or there are sockets to dial from.
  void advance(Instant now);
  Instant next_deadline() const;
  /// When they are others than before, what was learned of the network is forgotten. Dials that this may decide
  /// wait for it, and for advance().
  void set_interfaces(std::vector<InterfaceAddress> interfaces) { chooser_.set_interfaces(std::move(interfaces)); }
  /// We listen at a loopback address, and not just at all addresses.
  /// This host has other addresses now: what is in flight left from those before, and waits longer and longer
  /// for an answer. It begins again.
  void network_changed(Instant now);
  void set_listens_on_loopback(bool listens) { chooser_.set_listens_on_loopback(listens); }
  /// Fails every dial, and from now on those that are asked for.
  void close(Instant now);

  // --- what became of an attempt

  /// It is an attempt, and the dial that made it has not ended.
  bool wants(ConnectionId id) const;
  /// The connection is one now. Ends the dial that made it, when there is one.
  void established(Instant now, Connection& connection);
  /// The connection was made and cannot be used. Ends the dial that made it, when there is one.
  void refused(Instant now, Connection& connection, const Error& why);
  /// The connection is gone; nothing happens when it was no attempt.
  void closed(Instant now, Connection& connection, const Error& why);

  bool dialing(const PeerId& peer) const { return by_peer_.contains(peer); }
  /// The attempt in flight when no other address of the peer is left to try; null otherwise.
  Connection* last_hope(const PeerId& peer) const;
  const BlackHoles& black_holes() const { return chooser_.black_holes(); }
  /// No dial is under way, and every attempt is settled.
  bool idle() const { return attempts_.empty() && dials_.empty(); }

 private:
  using DialId = std::uint64_t;  // 0: none
  struct Request {
    PeerId peer;        // empty: whoever answers
    Multiaddr address;  // empty: what the peerstore knows
    DialDone done;
    DialOptions options;
    bool given_up = false;
  };
  struct Lookup {
    ReportBuilder::Entry entry;
    bool over = false;
  };
  struct Pending {
    Pending(const PeerId& whom, Instant now) : report(now), machine({}, now) { wish.peer = whom; }
    AddressChooser::Wish wish;
    ReportBuilder report;
    bool begun = false;  // the machine has its addresses
    Dial machine;
    std::vector<Multiaddr> held_back;
    std::vector<ConnectionId> attempts;
    std::vector<DialDone> waiters;
    std::map<Multiaddr, Lookup> lookups;  // of addresses that begin with a name: each is resolved once
  };
  struct Attempt {  // a connection that is not established yet
    DialId dial;    // 0: no longer wanted
    Connection* connection;
    Multiaddr candidate;  // of the machine
    Multiaddr address;    // as it was dialed
    ReportBuilder::Entry entry;
  };

  void process(Instant now, Request request);
  DialId add(Instant now, const PeerId& peer);
  void join(Instant now, DialId id, Request request);
  /// Gives the machine the addresses that are worth a try. False: set_interfaces() must come first.
  bool begin(Instant now, DialId id, Pending& dial);
  /// Remembers what was chosen not to be tried.
  void pass_over(Instant now, Pending& dial, const AddressChooser::Choice& choice);
  void skip(Instant now, Pending& dial, const AddressChooser::Skip& skip);
  Transport* transport_for(const Multiaddr& address) const;
  /// Why the address cannot be dialed at all.
  std::optional<AddressChooser::Skip> refuse(const PeerId& peer, const Multiaddr& address) const;
  AddressChooser::Refuses refuses(const PeerId& peer) const;
  DialId find(const PeerId& peer) const;
  bool is_named(const Multiaddr& address) const { return names_ != nullptr && dns::has_name(address); }
  /// The machine gets what the name in the address stands for.
  void look_up(Instant now, DialId id, const Multiaddr& address);
  void on_resolved(Instant now, DialId id, const Multiaddr& address, Result<std::vector<Multiaddr>> found);
  void advance(Instant now, DialId id);
  /// False: a socket is being made, and advance() follows.
  bool start_attempt(Instant now, DialId id, Pending& dial, const Multiaddr& address);
  void finish(Instant now, DialId id, Result<Connection*> result);
  void restart_attempts(Instant now, Pending& dial);
  void drop_attempts(Instant now, Pending& dial, bool reached);
  void answer(Instant now, Request request, Result<Connection*> result);

  const PeerId self_;
  const std::vector<Transport*>& transports_;
  peerstore::Peerstore& store_;
  dns::Resolver* const names_;
  DialerHost& host_;
  AddressChooser chooser_;
  std::map<DialId, Pending> dials_;
  std::unordered_map<PeerId, DialId, PeerIdHash> by_peer_;
  std::map<ConnectionId, Attempt> attempts_;
  DialId next_dial_ = 1;
  std::vector<Request> requests_;  // asked since the last turn
  std::vector<Request> requests_taken_;
  std::vector<DialId> given_up_;  // likewise
  bool closing_ = false;
};

}  // namespace p2pa::swarm
