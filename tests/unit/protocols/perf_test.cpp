#include <catch2/catch.hpp>

#include "base/byte_writer.hpp"
#include "protocols/perf/perf.hpp"
#include "support/two_hosts.hpp"

using namespace p2pa;
using namespace p2pa::test;

namespace {

struct PerfWorld {
  explicit PerfWorld(memory::Config config = {}, bool serve = true)
      : hosts(config), here(hosts.dialer, false), there(hosts.listener, serve) {
    hosts.dialer.add(here);
    hosts.listener.add(there);
    hosts.settle();
  }
  void measure(std::uint64_t upload, std::uint64_t download) {
    here.measure(hosts.now, hosts.listener_id, upload, download,
                 [this](Result<PerfResult> r) { results.push_back(r); });
  }
  TwoHosts hosts;
  perf::Perf here, there;
  std::vector<Result<PerfResult>> results;
};

/// A client written by hand: what it asks for, and then this many bytes.
Bytes request(std::uint64_t download, std::size_t upload) {
  Bytes out;
  ByteWriter(out).big_endian(download);
  out.resize(out.size() + upload);
  return out;
}

class OddServer final : public Protocol {
 public:
  std::vector<std::string> protocol_ids() const override { return {std::string(perf::kProtocolId)}; }
  void on_stream_open(Instant now, Stream& s) override { peer.on_stream_open(now, s); }
  void on_stream_failed(Instant, std::uint64_t, const Error&) override {}
  void on_readable(Instant now, Stream& s) override { peer.on_readable(now, s); }
  void on_writable(Instant, Stream&) override {}
  void on_stream_closed(Instant now, Stream& s, const Error& why) override { peer.on_stream_closed(now, s, why); }
  RawPeer peer;
};

struct OddWorld {
  OddWorld() : here(hosts.dialer, false) {
    hosts.dialer.add(here);
    hosts.listener.add(server);
    hosts.settle();
    here.measure(hosts.now, hosts.listener_id, 10, 100, [this](Result<PerfResult> r) { results.push_back(r); });
    hosts.settle();
    REQUIRE(server.peer.received == request(100, 10));
    REQUIRE(server.peer.at_end);
  }
  void expect(Code code) {
    REQUIRE(results.size() == 1);
    REQUIRE_FALSE(results[0]);
    CHECK(results[0].error().code == code);
    hosts.run_for(minutes(2));
    CHECK(results.size() == 1);
    CHECK(here.next_deadline() == kNever);
  }
  TwoHosts hosts;
  perf::Perf here;
  OddServer server;
  std::vector<Result<PerfResult>> results;
};

}  // namespace

TEST_CASE("perf moves what was asked for in both directions", "[perf]") {
  PerfWorld world({.delay = milliseconds(5), .stream_bytes_max = 256 * 1024});
  world.measure(3'000'000, 5'000'000);
  CHECK(world.results.empty());
  REQUIRE(world.hosts.run_until([&] { return !world.results.empty(); }));
  const PerfResult result = *world.results[0];
  CHECK(result.bytes_up == 3'000'000);
  CHECK(result.bytes_down == 5'000'000);
  // 256 KiB a round trip of 10 ms: twelve of them up, twenty down.
  CHECK(result.upload >= milliseconds(110));
  CHECK(result.upload <= milliseconds(140));
  CHECK(result.download >= milliseconds(180));
  CHECK(result.download <= milliseconds(210));
  world.hosts.settle();
  CHECK(world.hosts.listener.streams_count() == 0);
  CHECK(world.there.next_deadline() == kNever);
}

TEST_CASE("perf of nothing takes one round trip", "[perf]") {
  PerfWorld world({.delay = milliseconds(5)});
  world.measure(0, 0);
  REQUIRE(world.hosts.run_until([&] { return !world.results.empty(); }));
  CHECK(world.results[0]->upload == Duration{});
  CHECK(world.results[0]->download == milliseconds(10));
}

TEST_CASE("a download alone counts from its beginning", "[perf]") {
  PerfWorld world({.delay = milliseconds(5)});
  world.measure(0, 1000);
  REQUIRE(world.hosts.run_until([&] { return !world.results.empty(); }));
  CHECK(world.results[0]->bytes_down == 1000);
  CHECK(world.results[0]->download == milliseconds(10));
}

TEST_CASE("perf is served only where it is wanted", "[perf]") {
  PerfWorld world({}, false);
  CHECK(world.there.protocol_ids().empty());
  world.measure(1, 1);
  world.hosts.settle();
  REQUIRE(world.results.size() == 1);
  CHECK(world.results[0].error().code == Code::kProtocolUnsupported);
}

TEST_CASE("fewer bytes than asked for are truncated, more are a violation", "[perf]") {
  OddWorld fewer;
  REQUIRE(fewer.server.peer.stream->write(Bytes(99)));
  fewer.server.peer.stream->finish();
  fewer.hosts.settle();
  fewer.expect(Code::kTruncated);
  CHECK(fewer.results[0].error().detail == 99);

  OddWorld more;
  REQUIRE(more.server.peer.stream->write(Bytes(101)));
  more.hosts.settle();
  more.expect(Code::kProtocolViolation);
}

TEST_CASE("a server that answers while it is sent to is a violation", "[perf]") {
  TwoHosts hosts({.stream_bytes_max = 1000});
  perf::Perf here(hosts.dialer, false);
  OddServer server;
  server.peer.reads = false;
  hosts.dialer.add(here);
  hosts.listener.add(server);
  std::vector<Result<PerfResult>> results;
  here.measure(hosts.now, hosts.listener_id, 100'000, 10, [&](Result<PerfResult> r) { results.push_back(r); });
  hosts.settle();
  REQUIRE(server.peer.stream->write(Bytes(10)));
  hosts.settle();
  REQUIRE(results.size() == 1);
  CHECK(results[0].error().code == Code::kProtocolViolation);
}

TEST_CASE("a measurement that stalls is given up", "[perf]") {
  OddWorld world;
  REQUIRE(world.server.peer.stream->write(Bytes(50)));
  world.hosts.run_for(perf::kStallTimeout + seconds(2));
  world.expect(Code::kTimeout);
}

TEST_CASE("a lost connection and a reset end a measurement with their reason", "[perf]") {
  OddWorld lost;
  lost.hosts.pair.lose();
  lost.hosts.settle();
  lost.expect(Code::kConnectionLost);
  OddWorld reset;
  reset.server.peer.stream->reset(77);
  reset.hosts.settle();
  reset.expect(Code::kStreamReset);
  CHECK(reset.results[0].error().detail == 77);
}

TEST_CASE("a request in pieces is served, one that is cut is not", "[perf]") {
  PerfWorld world({.segment_bytes_max = 3});
  RawPeer whole, cut;
  Stream& a = world.hosts.dialer.open_raw(perf::kProtocolId, whole);
  REQUIRE(a.write(request(1234, 77)));
  a.finish();
  Stream& b = world.hosts.dialer.open_raw(perf::kProtocolId, cut);
  REQUIRE(b.write(Bytes(7)));
  b.finish();
  world.hosts.settle();
  CHECK(whole.received == Bytes(1234));
  CHECK(whole.at_end);
  CHECK(cut.received.empty());
  REQUIRE(cut.closed);
  CHECK(cut.closed->code == Code::kStreamReset);
}

TEST_CASE("a client that never reads, or never ends, is given up", "[perf]") {
  PerfWorld world({.stream_bytes_max = 10'000});
  RawPeer reader, talker;
  reader.reads = false;
  Stream& a = world.hosts.dialer.open_raw(perf::kProtocolId, reader);
  REQUIRE(a.write(request(~std::uint64_t{0}, 0)));
  a.finish();
  Stream& b = world.hosts.dialer.open_raw(perf::kProtocolId, talker);
  REQUIRE(b.write(request(0, 10)));
  world.hosts.run_for(perf::kStallTimeout + seconds(2));
  REQUIRE(reader.closed);
  CHECK(reader.closed->code == Code::kStreamReset);
  REQUIRE(talker.closed);
  CHECK(talker.closed->code == Code::kStreamReset);
  CHECK(world.there.next_deadline() == kNever);
}

TEST_CASE("one measurement over the bound is refused, at either end", "[perf]") {
  PerfWorld world;
  for (std::size_t i = 0; i <= perf::kMeasuredMax; ++i) world.measure(0, 10);
  world.hosts.settle();
  REQUIRE(world.results.size() == perf::kMeasuredMax + 1);
  std::size_t served = 0, refused_here = 0, refused_there = 0;
  for (const auto& result : world.results) {
    if (result) ++served;
    else if (result.error() == Error{Code::kRateLimited, perf::kMeasuredMax, ""}) ++refused_here;
    else if (result.error() == Error{Code::kStreamReset, wire_code::kStreamResourceLimit, ""}) ++refused_there;
  }
  CHECK(served == perf::kServedPerPeerMax);
  CHECK(refused_here == 1);
  CHECK(refused_there == perf::kMeasuredMax - perf::kServedPerPeerMax);

  std::vector<std::unique_ptr<RawPeer>> clients;
  for (std::size_t i = 0; i <= perf::kServedPerPeerMax; ++i) {
    clients.push_back(std::make_unique<RawPeer>());
    REQUIRE(world.hosts.dialer.open_raw(perf::kProtocolId, *clients.back()).write(request(0, 0)));
  }
  world.hosts.settle();
  REQUIRE(clients.back()->closed);
  CHECK(*clients.back()->closed == Error{Code::kStreamReset, wire_code::kStreamResourceLimit, ""});
  CHECK_FALSE(clients[clients.size() - 2]->closed);
}
