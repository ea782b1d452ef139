#include <catch2/catch.hpp>

#include <vector>

#include "node/impl.hpp"
#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

constexpr std::uint32_t kCredit = 4;
constexpr CallOptions kNoDeadline{.deadline = {}};

/// A server that gives few streams, and a client with two connections to it: both dialed at once.
class TwoConnections {
 public:
  explicit TwoConnections(World& world) : world_(world), pair_(start(world)) {
    const PeerId client_id = client().id();
    introduce(world, pair_.server, pair_.client);
    REQUIRE(server().serve("hold", Method([this](Call& call) { held_.push_back(call.id()); })));
    client().dial(pair_.server_id, {});
    server().dial(client_id, {});
    world.run_for(seconds(3));
    REQUIRE(client().connections().size() == 2);
  }

  Node& client() { return world_.node(pair_.client); }
  Node& server() { return world_.node(pair_.server); }
  swarm::Swarm& swarm() { return client().core().impl().swarm; }
  const PeerId& server_id() const { return pair_.server_id; }

  std::shared_ptr<Answer> call(std::string_view method) {
    return sim::call(world_, pair_.client, pair_.server_id, method, as_bytes("x"), kNoDeadline);
  }
  void hold(std::size_t calls) {
    for (std::size_t i = 0; i < calls; ++i) call("hold");
    world_.run_for(seconds(1));
  }
  void let_go() {
    for (const CallId id : std::exchange(held_, {})) {
      if (Call* held = server().find_call(id)) held->finish();
    }
  }

 private:
  static Pair start(World& world) {
    world.set_default_link({.delay = milliseconds(20)});
    NodeOptions server = listening(), client = listening();
    server.limits.streams_inbound_per_connection_max = kCredit;
    server.connections_kept_per_peer = client.connections_kept_per_peer = 2;
    return make_pair(world, std::move(server), std::move(client));
  }

  World& world_;
  Pair pair_;
  std::vector<CallId> held_;
};

/// An opener that only counts what it is told.
struct Opened final : StreamHandler {
  int opened = 0, failed = 0;
  void on_stream_open(Instant, Stream&) override { ++opened; }
  void on_stream_failed(Instant, std::uint64_t, const Error&) override { ++failed; }
  void on_readable(Instant, Stream&) override {}
  void on_writable(Instant, Stream&) override {}
  void on_stream_closed(Instant, Stream&, const Error&) override {}
};

}  // namespace

TEST_CASE("a call takes whichever connection has room") {
  for_seeds(1, "room on the second connection", [](World& world) {
    TwoConnections two(world);
    two.hold(kCredit + 1);
    const auto echo = two.call("echo");
    world.run_for(seconds(1));
    CHECK(echo->ok());
  });
}

TEST_CASE("a stream that is bound to a full connection holds up no other") {
  for_seeds(1, "bound stream waits apart", [](World& world) {
    TwoConnections two(world);
    two.hold(2 * kCredit);
    const auto waiting = two.call("echo");
    Opened bound[2];
    const std::vector<Connection*> connections = two.swarm().connections();
    for (std::size_t i = 0; i < 2; ++i) {
      const OpenStreamOptions only{.replay_safe = false, .may_dial = false, .connection = connections[i]->id()};
      two.swarm().open_stream(two.server_id(), "/test/bound/1", bound[i], 0, only);
    }
    world.run_for(seconds(1));
    CHECK(waiting->ends == 0);
    CHECK(bound[0].opened + bound[1].opened == 0);
    two.let_go();
    world.run_for(seconds(3));
    CHECK(waiting->ok());
    CHECK(bound[0].opened == 1);
    CHECK(bound[1].opened == 1);
    const auto later = two.call("echo");
    world.run_for(seconds(1));
    CHECK(later->ok());
  });
}

TEST_CASE("what waits for a connection that dies goes over the one that lives") {
  for_seeds(1, "one of two dies", [](World& world) {
    TwoConnections two(world);
    two.hold(2 * kCredit);
    const auto waiting = two.call("echo");
    Opened bound;
    Connection* first = two.swarm().best_connection(two.server_id());
    const OpenStreamOptions only{.replay_safe = false, .may_dial = false, .connection = first->id()};
    two.swarm().open_stream(two.server_id(), "/test/bound/1", bound, 0, only);
    world.run_for(seconds(1));
    REQUIRE(waiting->ends == 0);
    first->close(wire_code::kNone, "this one only");
    two.let_go();
    world.run_for(seconds(3));
    CHECK(two.client().connections().size() == 1);
    CHECK(waiting->ok());
    CHECK(bound.failed == 1);
    const auto later = two.call("echo");
    world.run_for(seconds(1));
    CHECK(later->ok());
  });
}
