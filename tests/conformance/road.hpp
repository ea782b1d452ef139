#pragma once
// Two ends of one transport, in virtual time: what every transport is held against.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "conformance/wire.hpp"
#include "p2pagents/limits.hpp"
#include "resource/manager.hpp"
#include "support/transport_end.hpp"

namespace p2pa::test {

struct RoadOptions {
  std::string name = {};  ///< of the transport
  WireKind wire = WireKind::kSmooth;
  Limits client_limits{}, server_limits{};
  std::uint8_t seed = 1;  ///< of the chances in the world
};

/// Each transport over each wire; over pipes only memory, which has none below it and keeps no count of memory,
/// and WebSocket in a private network, which is the other one with a cipher around it.
const std::vector<RoadOptions>& all_roads();
std::string describe(const RoadOptions& options);

class Road {
 public:
  virtual ~Road() = default;

  /// Dials, and waits until both ends are up.
  Connection& connect();
  Connection& served() { return *server.connection(); }
  /// The server's inbox of the n-th stream that the client opened.
  Inbox& served_inbox(std::size_t n = 0) { return server.inbox(served(), server.streams.at(n)); }
  /// Sends a request on a stream of its own.
  StreamId request(Connection& c, std::string_view text);

  /// Runs until the predicate holds; false when `limit` of virtual time went by first.
  bool run_until(const std::function<bool()>& done, Duration limit = seconds(60));
  void run_for(Duration duration);

  virtual const resource::Manager& resources_of(const TransportEnd& end) const = 0;
  /// From now on nothing of this end arrives anywhere, and nothing arrives at it.
  virtual void silence(const TransportEnd& end) = 0;

  std::string name;
  Duration delay{};  ///< one way, at least
  Instant now{1'000'000'000};
  TransportEnd client, server;

 protected:
  virtual void dial() = 0;
  /// Hands out what happened and carries what is to be sent. False: nothing moved.
  virtual bool settle() = 0;
  virtual Instant next() const = 0;
  /// Time has come to next().
  virtual void advance() = 0;
};

std::unique_ptr<Road> make_road(const RoadOptions& options);

}  // namespace p2pa::test
