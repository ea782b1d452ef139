#pragma once
// Two (or more) QUIC endpoints joined by a wire in memory, in virtual time: no socket, no clock.

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "crypto/rng.hpp"
#include "support/transport_end.hpp"
#include "transport/quic/endpoint.hpp"

namespace p2pa::test {

struct Peer : TransportEnd {
  Peer(std::uint8_t seed, IpEndpoint where, Limits limits, quic::Config config);

  KeyPair key;
  Rng rng;
  resource::Manager resources;
  quic::Endpoint endpoint;
  IpEndpoint address;
  SocketId socket = 1;
  bool silent = false;     ///< sends nothing and hears nothing: crashed
  std::size_t segments_max = 10;

  // How often and how much, both counted at the sender.
  std::uint64_t packets_sent = 0;
  std::set<IpEndpoint> sent_from;  ///< as it was told to its driver
  std::vector<std::pair<Instant, std::size_t>> trace;
};

struct Link {
  Duration delay = milliseconds(10);
  double loss = 0;
  std::size_t mtu = 1500 - 28;  ///< UDP payload; larger ones vanish
  Duration jitter{};            ///< reorders when larger than the gap between packets
};

class Pipe {
 public:
  explicit Pipe(Link link = {}, std::uint64_t seed = 1);

  Peer& add(std::uint8_t seed, Limits limits = {}, quic::Config config = default_config());
  Connection* dial(Peer& from, const Peer& to, bool early_data = true);
  Connection* dial(Peer& from, const Peer& to, const PeerId& expected, bool early_data);

  /// Runs until the predicate holds; false when `limit` of virtual time went by first.
  bool run_until(const std::function<bool()>& done, Duration limit = seconds(30));
  void run_for(Duration duration);
  /// Delivers bytes as if `from` had sent them.
  void inject(const IpEndpoint& from, Peer& to, ByteView bytes);

  static quic::Config default_config();

  Instant now{1'000'000'000};
  Link link;
  bool mark = false;  ///< congestion is experienced by every tenth packet that may be marked
  /// Sees each datagram before the link; may change it. False drops it.
  std::function<bool(Peer& from, Bytes& bytes)> filter;
  std::vector<std::unique_ptr<Peer>> peers;

 private:
  struct Flight {
    Instant at;
    std::uint64_t sequence;
    IpEndpoint from, to;
    Ecn ecn;
    Bytes bytes;
  };

  bool settle();
  void launch(Peer& from, const Transmit& transmit, ByteView batch);
  void deliver(const Flight& flight);
  bool step(Instant limit);

  Rng rng_;
  std::vector<Flight> flights_;  // a heap, the soonest first
  std::uint64_t sequence_ = 0;
  Bytes buffer_ = Bytes(65'536);
};

}  // namespace p2pa::test
