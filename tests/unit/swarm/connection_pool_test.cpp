#include "swarm/connection_pool.hpp"

#include <catch2/catch.hpp>

#include "p2pagents/key_pair.hpp"

using namespace p2pa;
using namespace p2pa::swarm;

namespace {

using Reason = ConnectionPool::Reason;
using Closed = std::vector<std::pair<ConnectionId, Reason>>;

PeerId peer(std::uint8_t n) { return KeyPair::from_seed(Bytes(32, n)).peer_id(); }

/// A pool in virtual time, with connections whose use the test sets.
struct World {
  explicit World(const PoolOptions& options)
      : pool(self, options, [this](ConnectionId id) { return use[id]; }) {}

  ConnectionId add(const PeerId& to, bool outbound = true, Carrier carrier = Carrier::kQuic) {
    const ConnectionId id = ++last;
    use[id].heard_at = now;
    pool.add(now, id, to, carrier, outbound);
    return id;
  }
  void run(Duration length) {
    const Instant end = now + length;
    while (pool.next_deadline() <= end) {
      now = std::max(now, pool.next_deadline());
      pool.on_deadline(now);
      while (const auto verdict = pool.poll_verdict()) {
        closed.push_back({verdict->connection, verdict->reason});
        pool.remove(verdict->connection);
      }
    }
    now = end;
  }

  PeerId self = peer(0);
  Instant now{1'000'000'000};
  ConnectionId last = 0;
  std::map<ConnectionId, ConnectionPool::Use> use;
  Closed closed;
  ConnectionPool pool;
};

}  // namespace

TEST_CASE("a duplicate takes no streams and is closed when it was quiet for long enough") {
  World w({});
  const bool smaller = w.self < peer(1);
  const ConnectionId dialed = w.add(peer(1), true), accepted = w.add(peer(1), false);
  const ConnectionId kept = smaller ? dialed : accepted, doomed = smaller ? accepted : dialed;
  w.use[kept].heard_at = w.now;
  w.run(seconds(1));
  CHECK(w.pool.takes_streams(kept));
  CHECK_FALSE(w.pool.takes_streams(doomed));
  CHECK(w.closed.empty());
  w.run(smaller ? kDrainQuietInbound : kDrainQuiet);
  CHECK(w.closed == Closed{{doomed, Reason::kDuplicate}});
  CHECK(w.pool.size() == 1);
}

TEST_CASE("a duplicate with streams stays until they are over") {
  World w({});
  w.add(peer(1), true, Carrier::kQuic);
  const ConnectionId doomed = w.add(peer(1), true, Carrier::kStream);
  w.use[doomed].streams = 1;
  w.run(minutes(5));
  CHECK(w.closed.empty());
  w.use[doomed].streams = 0;
  w.run(kDrainQuiet - seconds(2));
  CHECK(w.closed.empty());
  ++w.use[doomed].streams_ever;  // one that came and went between two looks
  w.run(kDrainQuiet - seconds(2));
  CHECK(w.closed.empty());
  w.run(seconds(4));
  CHECK(w.closed == Closed{{doomed, Reason::kDuplicate}});
}

TEST_CASE("a duplicate whose streams never end is closed at the bound") {
  World w({});
  w.add(peer(1), true, Carrier::kQuic);
  const ConnectionId doomed = w.add(peer(1), true, Carrier::kStream);
  w.use[doomed].streams = 1;
  w.run(kDrainMax - seconds(1));
  CHECK(w.closed.empty());
  w.run(seconds(3));
  CHECK(w.closed == Closed{{doomed, Reason::kDuplicate}});
}

TEST_CASE("nothing drains in favour of a connection that was not heard since") {
  World w({});
  const ConnectionId stale = w.add(peer(1), true, Carrier::kQuic);
  w.run(seconds(60));
  const ConnectionId fresh = w.add(peer(1), true, Carrier::kStream);
  w.run(seconds(30));
  CHECK(w.pool.to_prove(peer(1)) == std::vector{stale});
  CHECK(w.pool.takes_streams(fresh));
  SECTION("it lives") {
    w.use[stale].heard_at = w.now;
    w.run(seconds(2));
    CHECK(w.pool.to_prove(peer(1)).empty());
    CHECK_FALSE(w.pool.takes_streams(fresh));
  }
  SECTION("it is dead") {
    w.pool.remove(stale);
    w.run(minutes(1));
    CHECK(w.closed.empty());
    CHECK(w.pool.takes_streams(fresh));
  }
}

TEST_CASE("what drains is wanted again when the better one goes") {
  World w({});
  const ConnectionId better = w.add(peer(1), true, Carrier::kQuic);
  const ConnectionId doomed = w.add(peer(1), true, Carrier::kStream);
  w.run(seconds(2));
  REQUIRE_FALSE(w.pool.takes_streams(doomed));
  w.pool.remove(better);
  CHECK(w.pool.takes_streams(doomed));
  w.run(minutes(1));
  CHECK(w.closed.empty());
}

TEST_CASE("as many connections of a peer stay as were asked for") {
  World two({.kept_per_peer = 2}), all({.kept_per_peer = 0});
  for (World* w : {&two, &all}) {
    for (int i = 0; i < 3; ++i) w->add(peer(1));
    w->run(minutes(1));
  }
  CHECK(two.closed == Closed{{3, Reason::kDuplicate}});
  CHECK(all.closed.empty());
}

TEST_CASE("over the high water mark the least valuable go, down to the low one") {
  World w({.low_water = 3, .high_water = 6});
  for (std::uint8_t n = 1; n <= 6; ++n) w.add(peer(n), n % 2 == 0);
  REQUIRE(w.pool.protect(peer(1), "mine").has_value());
  REQUIRE(w.pool.set_value(peer(3), "useful", 10).has_value());
  w.use[2].streams = 2;
  w.run(seconds(30));
  CHECK(w.closed.empty());  // not over it
  w.add(peer(7));
  w.run(seconds(1));
  // 5 was accepted, 4 and 6 were dialed; 2 is in use, 3 has value, 1 is protected, and 7 is new.
  CHECK(w.closed == Closed{{5, Reason::kTrimmed}, {4, Reason::kTrimmed}, {6, Reason::kTrimmed}});
  CHECK_FALSE(w.pool.takes_streams(2));
  w.use[2].streams = 0;
  w.run(seconds(2));
  CHECK(w.closed.back() == std::pair(ConnectionId{2}, Reason::kTrimmed));
  CHECK(w.pool.size() == 3);
}

TEST_CASE("what is trimmed while in use gets some time to end") {
  World w({.low_water = 1, .high_water = 1});
  w.add(peer(1));
  w.use[1].streams = 1;
  w.run(seconds(30));
  w.add(peer(2));
  w.run(kTrimMax - seconds(1));
  CHECK(w.closed.empty());
  w.run(seconds(3));
  CHECK(w.closed == Closed{{1, Reason::kTrimmed}});
}

TEST_CASE("new connections are not trimmed before their grace is over") {
  World w({.low_water = 1, .high_water = 2, .grace = seconds(20)});
  for (std::uint8_t n = 1; n <= 4; ++n) w.add(peer(n));
  w.run(seconds(19));
  CHECK(w.closed.empty());
  w.run(seconds(11));
  CHECK(w.closed.size() == 3);
}

TEST_CASE("an idle connection closes when that is asked for and nobody protects its peer") {
  World w({.idle_close = minutes(1)}), never({});
  for (World* world : {&w, &never}) {
    world->add(peer(1));
    world->add(peer(2));
    world->add(peer(3));
    REQUIRE(world->pool.protect(peer(1), "a").has_value());
    world->use[2].streams = 1;
    world->run(minutes(2));
  }
  CHECK(w.closed == Closed{{3, Reason::kIdle}});
  CHECK(never.closed.empty());
  w.use[2].streams = 0;
  w.run(minutes(2));
  CHECK(w.closed.back() == std::pair(ConnectionId{2}, Reason::kIdle));
  w.pool.unprotect(peer(1), "a");
  w.run(minutes(2));
  CHECK(w.pool.size() == 0);
}

TEST_CASE("protection holds as long as one tag does") {
  World w({});
  CHECK_FALSE(w.pool.is_protected(peer(1)));
  REQUIRE(w.pool.protect(peer(1), "a").has_value());
  REQUIRE(w.pool.protect(peer(1), "b").has_value());
  REQUIRE(w.pool.protect(peer(1), "b").has_value());  // once more is no more
  CHECK(w.pool.unprotect(peer(1), "b"));
  CHECK(w.pool.is_protected(peer(1)));
  CHECK_FALSE(w.pool.unprotect(peer(1), "a"));
  CHECK_FALSE(w.pool.unprotect(peer(1), "a"));
  CHECK_FALSE(w.pool.is_protected(peer(1)));
}

TEST_CASE("a peer has a bounded number of tags") {
  World w({});
  for (std::size_t i = 0; i < kTagsMax; ++i) {
    const std::string tag = std::to_string(i);
    REQUIRE((i % 2 == 0 ? w.pool.protect(peer(1), tag) : w.pool.set_value(peer(1), tag, 1)).has_value());
  }
  CHECK(w.pool.protect(peer(1), "one more").error().code == Code::kLimitPeer);
  CHECK(w.pool.set_value(peer(1), "one more", 1).error().code == Code::kLimitPeer);
  CHECK(w.pool.set_value(peer(1), "1", 7).has_value());
  CHECK(w.pool.set_value(peer(1), "1", 0).has_value());
  CHECK(w.pool.protect(peer(1), "one more").has_value());
}
