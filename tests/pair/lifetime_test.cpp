#include "pair/pair.hpp"
#include "transport/quic/compat.hpp"

using namespace p2pa;
using namespace p2pa::test;

TEST_CASE("a close carries its code to the other end") {
  Scene s;
  Connection& c = s.connect();
  c.close(0x1006, "shutting down");
  CHECK_FALSE(c.established());
  CHECK(c.open_stream(false).error().code == Code::kInvalidState);
  c.close(1, "twice is once");
  REQUIRE(s.pipe.run_until([&] { return s.client.closed && s.server.closed; }));
  CHECK(s.client.closed->code == Code::kClosed);
  CHECK(s.server.closed->code == Code::kConnectionClosed);
  CHECK(s.server.closed->detail == 0x1006);
  CHECK(s.client.count(Kind::kClosed) == 1);
  s.pipe.run_for(seconds(5));
  CHECK(s.client.endpoint.connections_count() == 0);
  CHECK(s.server.endpoint.connections_count() == 0);
  CHECK(s.client.endpoint.next_deadline() == kNever);
  CHECK(s.server.endpoint.next_deadline() == kNever);
}

TEST_CASE("both ends may close at once") {
  Scene s;
  Connection& c = s.connect();
  c.close(1, "");
  s.served().close(2, "");
  REQUIRE(s.pipe.run_until([&] { return s.client.closed && s.server.closed; }));
  CHECK(s.client.closed->code == Code::kClosed);
  CHECK(s.server.closed->code == Code::kClosed);
  s.pipe.run_for(seconds(5));
  CHECK(s.client.endpoint.next_deadline() == kNever);
}

TEST_CASE("a close during the handshake ends it on both sides") {
  Link link;
  link.delay = milliseconds(50);
  for (const int after : {0, 1, 51, 99, 100, 101, 149, 151}) {
    Scene s(link);
    Connection* c = s.pipe.dial(s.client, s.server);
    s.pipe.run_for(milliseconds(after));
    c->close(0x1006, "changed my mind");
    REQUIRE(s.pipe.run_until([&] { return s.client.closed.has_value(); }));
    CHECK(s.client.closed->code == Code::kClosed);
    s.pipe.run_for(seconds(40));
    CHECK(s.server.endpoint.connections_count() == 0);
    CHECK(s.server.resources.usage().handshakes == 0);
  }
}

TEST_CASE("a lost farewell is said again to who still talks") {
  Scene s;
  Connection& c = s.connect();
  bool lost = false;
  s.pipe.filter = [&](Peer& from, Bytes&) {
    if (&from != &s.client || lost) return true;
    lost = true;
    return false;
  };
  c.close(0x1006, "");
  s.request(s.served(), "are you there?");
  REQUIRE(s.pipe.run_until([&] { return s.server.closed.has_value(); }, seconds(2)));
  CHECK(lost);
  CHECK(s.server.closed->code == Code::kConnectionClosed);
}

TEST_CASE("what arrived before a close can still be read") {
  Scene s;
  s.client.drain = false;
  Connection& c = s.connect();
  const StreamId stream = s.request(c, "hello");
  REQUIRE(s.pipe.run_until([&] { return s.client.inbox(c, stream).readable > 0; }));
  std::string read;
  s.client.on_event = [&](Instant, const TransportEvent& e) {
    if (e.event.kind == Kind::kClosed) read = as_text(e.connection->peek(stream));
  };
  s.served().close(0, "");
  REQUIRE(s.pipe.run_until([&] { return s.client.closed.has_value(); }));
  CHECK(read == "hello");
}

TEST_CASE("silence ends a connection") {
  Scene s;
  s.connect();
  s.server.silent = true;
  const Instant from = s.pipe.now;
  REQUIRE(s.pipe.run_until([&] { return s.client.closed.has_value(); }, seconds(60)));
  CHECK(s.client.closed->code == Code::kConnectionLost);
  CHECK(s.pipe.now - from <= seconds(40));
  CHECK(s.pipe.now - from >= seconds(29));
}

TEST_CASE("without keep-alive an idle connection ends on both sides") {
  quic::Config client = Pipe::default_config(), server = Pipe::default_config();
  client.keep_alive = server.keep_alive = {};
  Scene s({}, {}, {}, std::move(client), std::move(server));
  s.connect();
  REQUIRE(s.pipe.run_until([&] { return s.client.closed && s.server.closed; }, seconds(60)));
  CHECK(s.client.closed->code == Code::kConnectionLost);
  CHECK(s.server.closed->code == Code::kConnectionLost);
}

TEST_CASE("an idle connection stays up for a quarter of a packet a second, both ends counted") {
  Scene s;
  s.connect();
  s.pipe.run_for(seconds(20));  // probes of the path's size are over
  const std::uint64_t before = s.client.packets_sent + s.server.packets_sent;
  s.pipe.run_for(seconds(800));
  CHECK(s.up());
  const auto packets = s.client.packets_sent + s.server.packets_sent - before;
  CHECK(packets <= (P2PA_NGTCP2_1 ? 210 : 200));  // 1.x adds a ping to every other acknowledgement
  CHECK(packets >= 100);
}

TEST_CASE("the shorter idle time-out of the two is kept, whoever named it") {
  quic::Config client = Pipe::default_config(), server = Pipe::default_config();
  const bool both = GENERATE(true, false), at_client = GENERATE(true, false);
  if (both || at_client) client.idle_timeout = seconds(5);
  if (both || !at_client) server.idle_timeout = seconds(5);
  if (at_client) server.keep_alive = {}; else client.keep_alive = {};
  Scene s({}, {}, {}, std::move(client), std::move(server));
  s.connect();
  s.pipe.run_for(seconds(120));
  CHECK(s.up());
}

TEST_CASE("a peer that names a tiny idle time-out does not make us busy") {
  quic::Config client = Pipe::default_config();
  client.idle_timeout = milliseconds(1);
  client.keep_alive = {};
  Link near;
  near.delay = microseconds(200);
  Scene s(near, {}, {}, std::move(client));
  s.connect();
  const std::uint64_t before = s.server.packets_sent;
  s.pipe.run_for(seconds(10));
  CHECK(s.server.packets_sent - before < 20);
}

TEST_CASE("a dialer that pings nothing is kept alive by the other end") {
  quic::Config client = Pipe::default_config();
  client.keep_alive = {};
  Scene s({}, {}, {}, std::move(client));
  s.connect();
  s.pipe.run_for(seconds(120));
  CHECK(s.up());
}

TEST_CASE("a server that restarted with its key tells its peers to forget the connection") {
  Scene s;
  s.connect();
  s.pipe.run_for(seconds(1));
  Peer& reborn = s.pipe.add(2);  // the same key
  reborn.address = s.server.address;
  s.server.silent = true;
  s.server.address.port = 1;
  const Instant from = s.pipe.now;
  REQUIRE(s.pipe.run_until([&] { return s.client.closed.has_value(); }, seconds(20)));
  CHECK(s.client.closed->code == Code::kConnectionLost);
  CHECK(s.pipe.now - from < seconds(10));  // at the next keep-alive, not at the idle time-out
}

TEST_CASE("a stateless reset by another key is not believed") {
  Scene s;
  s.connect();
  s.pipe.run_for(seconds(1));
  Peer& impostor = s.pipe.add(7);
  impostor.address = s.server.address;
  s.server.silent = true;
  s.server.address.port = 1;
  CHECK_FALSE(s.pipe.run_until([&] { return s.client.closed.has_value(); }, seconds(20)));
}

TEST_CASE("stateless resets are bounded and smaller than what they answer") {
  Scene s;
  std::vector<std::size_t> answers;
  s.pipe.filter = [&](Peer&, Bytes& bytes) {
    answers.push_back(bytes.size());
    return false;
  };
  Bytes packet(100, 0x55);
  packet[0] = 0x40;
  for (int i = 0; i < 1000; ++i) {
    packet[1] = static_cast<std::uint8_t>(i);
    s.pipe.inject(s.client.address, s.server, packet);
  }
  s.pipe.run_for(milliseconds(1));
  CHECK(answers.size() <= 100);
  CHECK(answers.size() > 10);
  for (const std::size_t size : answers) CHECK(size < packet.size());

  answers.clear();
  for (std::size_t size = 1; size <= 45; ++size) {
    s.pipe.run_for(seconds(1));
    s.pipe.inject(s.client.address, s.server, ByteView(packet).first(size));
    s.pipe.run_for(milliseconds(1));
    if (!answers.empty()) CHECK(answers.back() < size);
  }
}
