#include <catch2/catch.hpp>

#include "protocols/ping/ping.hpp"
#include "support/two_hosts.hpp"

using namespace p2pa;
using namespace p2pa::test;

namespace {

struct PingWorld {
  explicit PingWorld(memory::Config config = {})
      : hosts(config), rng(Bytes(32, 5)), here(hosts.dialer, rng), there(hosts.listener, rng) {
    hosts.dialer.add(here);
    hosts.listener.add(there);
    hosts.settle();
  }
  void ping() {
    here.ping(hosts.now, hosts.listener_id, [this](Result<Duration> r) { results.push_back(r); });
  }
  TwoHosts hosts;
  Rng rng;
  ping::Ping here, there;
  std::vector<Result<Duration>> results;
};

/// Serves ping in a way of its own.
class OddServer final : public Protocol {
 public:
  std::vector<std::string> protocol_ids() const override { return {std::string(ping::kProtocolId)}; }
  void on_stream_open(Instant now, Stream& s) override { peer.on_stream_open(now, s); }
  void on_stream_failed(Instant, std::uint64_t, const Error&) override {}
  void on_readable(Instant now, Stream& s) override { peer.on_readable(now, s); }
  void on_writable(Instant, Stream&) override {}
  void on_stream_closed(Instant now, Stream& s, const Error& why) override { peer.on_stream_closed(now, s, why); }
  RawPeer peer;
};

struct OddWorld {
  OddWorld() : rng(Bytes(32, 5)), here(hosts.dialer, rng) {
    hosts.dialer.add(here);
    hosts.listener.add(server);
    hosts.settle();
    here.ping(hosts.now, hosts.listener_id, [this](Result<Duration> r) { results.push_back(r); });
    hosts.settle();
    REQUIRE(server.peer.received.size() == ping::kPayloadSize);
  }
  TwoHosts hosts;
  Rng rng;
  ping::Ping here;
  OddServer server;
  std::vector<Result<Duration>> results;
};

}  // namespace

TEST_CASE("a ping measures the round trip, never inside the call", "[ping]") {
  PingWorld world({.delay = milliseconds(20)});
  world.ping();
  CHECK(world.results.empty());
  REQUIRE(world.hosts.run_until([&] { return !world.results.empty(); }));
  CHECK(*world.results[0] == milliseconds(40));
}

TEST_CASE("every ping of a peer uses the same stream", "[ping]") {
  PingWorld world;
  for (int i = 0; i < 5; ++i) {
    world.ping();
    world.hosts.settle();
  }
  for (int i = 0; i < 5; ++i) world.ping();
  world.hosts.settle();
  CHECK(world.results.size() == 10);
  CHECK(world.hosts.dialer.opens_count == 1);
  world.hosts.run_for(ping::kIdleTimeout + seconds(1));
  CHECK(world.hosts.dialer.streams_count() == 0);
  CHECK(world.hosts.listener.streams_count() == 0);
  CHECK(world.here.next_deadline() == kNever);
  world.ping();
  world.hosts.settle();
  CHECK(world.results.size() == 11);
  CHECK(world.hosts.dialer.opens_count == 2);
}

TEST_CASE("a ping works when every byte arrives alone", "[ping]") {
  PingWorld world({.segment_bytes_max = 1});
  world.ping();
  world.hosts.settle();
  REQUIRE(world.results.size() == 1);
  CHECK(world.results[0]);
}

TEST_CASE("a ping from inside a ping's answer works", "[ping]") {
  PingWorld world;
  int answers = 0;
  world.here.ping(world.hosts.now, world.hosts.listener_id, [&](Result<Duration>) {
    ++answers;
    world.here.ping(world.hosts.now, world.hosts.listener_id, [&](Result<Duration> r) { answers += r ? 1 : 0; });
  });
  world.hosts.settle();
  CHECK(answers == 2);
}

TEST_CASE("one ping over the bound fails later, the others go on", "[ping]") {
  PingWorld world;
  for (std::size_t i = 0; i <= ping::kWaitingMax; ++i) world.ping();
  CHECK(world.results.empty());
  world.hosts.settle();
  REQUIRE(world.results.size() == ping::kWaitingMax + 1);
  std::size_t failed = 0;
  for (const auto& result : world.results) {
    if (result) continue;
    ++failed;
    CHECK(result.error() == Error{Code::kRateLimited, ping::kWaitingMax, ""});
  }
  CHECK(failed == 1);
}

TEST_CASE("a silent peer lets a ping time out once", "[ping]") {
  OddWorld world;
  world.hosts.run_for(ping::kTimeout);
  REQUIRE(world.results.size() == 1);
  CHECK(world.results[0].error().code == Code::kTimeout);
  REQUIRE(world.server.peer.closed);
  CHECK(world.server.peer.closed->code == Code::kStreamReset);
  world.hosts.run_for(minutes(5));
  CHECK(world.results.size() == 1);
}

TEST_CASE("other bytes, more bytes and unasked bytes are violations", "[ping]") {
  for (const int how : {0, 1, 2}) {
    OddWorld world;
    Bytes answer = world.server.peer.received;
    if (how == 0) answer[31] ^= 1;
    if (how == 1) answer.push_back(0);
    REQUIRE(world.server.peer.stream->write(answer));
    world.hosts.settle();
    REQUIRE(world.results.size() == 1);
    if (how == 0) CHECK(world.results[0].error().code == Code::kProtocolViolation);
    if (how != 0) CHECK(world.results[0]);
    if (how == 2) REQUIRE(world.server.peer.stream->write(Bytes(32)));
    world.hosts.settle();
    REQUIRE(world.server.peer.closed);
    CHECK(world.server.peer.closed->detail == wire_code::kStreamProtocolViolation);
  }
}

TEST_CASE("a peer that ends the stream fails the ping", "[ping]") {
  OddWorld world;
  REQUIRE(world.server.peer.stream->write(ByteView(world.server.peer.received).first(31)));
  world.server.peer.stream->finish();
  world.hosts.settle();
  REQUIRE(world.results.size() == 1);
  CHECK(world.results[0].error().code == Code::kTruncated);
  CHECK(world.hosts.dialer.streams_count() == 0);
}

TEST_CASE("a lost connection and a peer without ping fail the ping", "[ping]") {
  OddWorld world;
  world.hosts.pair.lose();
  world.hosts.settle();
  REQUIRE(world.results.size() == 1);
  CHECK(world.results[0].error().code == Code::kConnectionLost);

  TwoHosts hosts;
  Rng rng(Bytes(32, 5));
  ping::Ping lonely(hosts.dialer, rng);
  hosts.dialer.add(lonely);
  std::vector<Result<Duration>> results;
  lonely.ping(hosts.now, hosts.listener_id, [&](Result<Duration> r) { results.push_back(r); });
  hosts.settle();
  REQUIRE(results.size() == 1);
  CHECK(results[0].error().code == Code::kProtocolUnsupported);
}

TEST_CASE("a ping that finds no connection fails with the reason", "[ping]") {
  PingWorld world;
  world.hosts.dialer.refuse_opens = {Code::kNoAddress, 0, ""};
  world.ping();
  world.ping();
  world.hosts.settle();
  REQUIRE(world.results.size() == 2);
  CHECK(world.results[1].error().code == Code::kNoAddress);
}

TEST_CASE("a peer has two ping streams to us, a third is reset", "[ping]") {
  PingWorld world;
  RawPeer a, b, c;
  for (RawPeer* peer : {&a, &b, &c}) {
    Stream& stream = world.hosts.dialer.open_raw(ping::kProtocolId, *peer);
    REQUIRE(stream.write(Bytes(32, 1)));
    world.hosts.settle();
  }
  CHECK(a.received == Bytes(32, 1));
  CHECK(b.received == Bytes(32, 1));
  REQUIRE(c.closed);
  CHECK(*c.closed == Error{Code::kStreamReset, wire_code::kStreamResourceLimit, ""});
  a.stream->finish();
  world.hosts.settle();
  CHECK(a.closed);
  RawPeer d;
  REQUIRE(world.hosts.dialer.open_raw(ping::kProtocolId, d).write(Bytes(32, 2)));
  world.hosts.settle();
  CHECK(d.received == Bytes(32, 2));
}

TEST_CASE("a peer that sends pings and reads nothing is held by its own buffer", "[ping]") {
  PingWorld world({.stream_bytes_max = 4096});
  RawPeer greedy;
  greedy.reads = false;
  Stream& stream = world.hosts.dialer.open_raw(ping::kProtocolId, greedy);
  std::size_t taken = 0;
  for (int i = 0; i < 100; ++i) {
    taken += *stream.write(Bytes(1024, 3));
    world.hosts.settle();
  }
  CHECK(taken <= 2 * 4096);
  greedy.reads = true;
  greedy.on_readable(world.hosts.now, stream);
  world.hosts.settle();
  CHECK(greedy.received.size() == taken);
}
