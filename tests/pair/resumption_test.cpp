#include "pair/pair.hpp"

using namespace p2pa;
using namespace p2pa::test;

namespace {

Link slow() {
  Link link;
  link.delay = milliseconds(50);
  return link;
}

/// A first connection, long enough for the ticket, and its end.
void get_ticket(Scene& s) {
  Connection& c = s.connect();
  s.pipe.run_for(milliseconds(500));
  c.close(0, "");
  REQUIRE(s.pipe.run_until([&] { return s.client.connections.empty() && s.server.connections.empty(); }));
  s.client.closed = s.server.closed = {};
  s.server.streams.clear();
}

}  // namespace

TEST_CASE("early data is taken, and answered before the handshake is over") {
  Scene s(slow());
  get_ticket(s);
  Connection* c = s.pipe.dial(s.client, s.server);
  REQUIRE(c->early_data_possible());
  CHECK(c->open_stream(false).error().code == Code::kInvalidState);
  const StreamId stream = s.request(*c, "early", true);
  bool before_established = false;
  PeerId known;
  s.server.on_event = [&](Instant, const TransportEvent& e) {
    if (e.event.kind != Kind::kStreamOpened) return;
    before_established = !e.connection->established() && e.connection->early_data_possible();
    known = e.connection->peer();
  };
  REQUIRE(s.pipe.run_until([&] { return s.client.inbox(*c, stream).ended; }));
  CHECK(s.client.inbox(*c, stream).text == "early");
  CHECK(before_established);
  CHECK(known == s.client.key.peer_id());
  REQUIRE(s.pipe.run_until([&] { return s.up(); }));
  CHECK_FALSE(c->early_data_possible());
  CHECK(c->peer() == s.server.key.peer_id());
  CHECK(s.served().peer() == s.client.key.peer_id());
  CHECK(c->stats(s.pipe.now).streams_opened == 1);
}

TEST_CASE("a ticket is used for hours of virtual time, and never after a week of it") {
  Scene s(slow());
  get_ticket(s);
  s.pipe.run_for(hours(5));
  Connection* in_time = s.pipe.dial(s.client, s.server);
  CHECK(in_time->early_data_possible());
  s.pipe.run_for(seconds(2));  // it gives a new one
  in_time->close(0, "");
  s.pipe.run_for(hours(7 * 24));  // RFC 8446 §4.6.1
  CHECK_FALSE(s.pipe.dial(s.client, s.server)->early_data_possible());
}

TEST_CASE("a resumed connection gives a ticket again") {
  Scene s(slow());
  get_ticket(s);
  for (int i = 0; i < 3; ++i) {
    get_ticket(s);
    Connection* c = s.pipe.dial(s.client, s.server);
    CHECK(c->early_data_possible());
    c->close(0, "");
    s.pipe.run_for(seconds(1));
  }
}

TEST_CASE("rejected early data is sent again by itself") {
  Scene s(slow());
  get_ticket(s);
  // The server restarts: it keeps its identity, and forgets the key of its tickets.
  Peer& reborn = s.pipe.add(2);
  reborn.address = s.server.address;
  s.server.silent = true;
  s.server.address.port = 1;
  reborn.echo = true;
  Connection* c = s.pipe.dial(s.client, reborn);
  REQUIRE(c->early_data_possible());
  const std::string large(9'000, 'x');
  const StreamId first = s.request(*c, large, true);
  const auto dropped = *c->open_stream(true);
  REQUIRE(c->write(dropped, as_bytes("never mind")));
  const auto open = *c->open_stream(true);
  REQUIRE(c->write(open, as_bytes("half")));
  s.pipe.run_for(milliseconds(1));
  c->reset(dropped, 3);
  REQUIRE(s.pipe.run_until([&] { return s.client.inbox(*c, first).closed; }));
  CHECK(s.client.inbox(*c, first).text == large);
  REQUIRE(c->write(open, as_bytes(" and half")));
  c->finish(open);
  REQUIRE(s.pipe.run_until([&] { return s.client.inbox(*c, open).closed; }));
  CHECK(s.client.inbox(*c, open).text == "half and half");
  CHECK(s.client.inbox(*c, dropped).closed);
  CHECK(s.client.inbox(*c, dropped).text.empty());
  CHECK(reborn.count(Kind::kStreamOpened) <= 3);
  s.pipe.run_for(seconds(20));
  CHECK(s.client.resources.usage().memory == 0);
}

TEST_CASE("rejected early data survives loss") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Scene s(slow());
    get_ticket(s);
    Peer& reborn = s.pipe.add(2);
    reborn.address = s.server.address;
    s.server.silent = true;
    s.server.address.port = 1;
    reborn.echo = true;
    std::uint64_t n = 0;
    s.pipe.filter = [&](Peer&, Bytes&) { return (n++ * 7 + seed) % 4 != 0; };
    Connection* c = s.pipe.dial(s.client, reborn);
    const StreamId stream = s.request(*c, "again", true);
    REQUIRE(s.pipe.run_until([&] { return s.client.inbox(*c, stream).closed || s.client.closed; }));
    CHECK(s.client.inbox(*c, stream).text == "again");
  }
}

TEST_CASE("a replayed first flight opens no stream a second time") {
  Scene s(slow());
  get_ticket(s);
  std::vector<Bytes> flight;
  s.pipe.filter = [&](Peer& from, Bytes& bytes) {
    if (&from == &s.client && flight.size() < 2) flight.push_back(bytes);
    return true;
  };
  Connection* c = s.pipe.dial(s.client, s.server);
  const StreamId stream = s.request(*c, "pay once", true);
  REQUIRE(s.pipe.run_until([&] { return s.client.inbox(*c, stream).closed; }));
  const int opened = s.server.count(Kind::kStreamOpened);
  c->close(0, "");
  s.pipe.run_for(seconds(5));
  IpEndpoint elsewhere = s.client.address;
  elsewhere.port = 9;
  for (const Bytes& bytes : flight) s.pipe.inject(elsewhere, s.server, bytes);
  s.pipe.run_for(seconds(20));
  CHECK(s.server.count(Kind::kStreamOpened) == opened);
}

TEST_CASE("a dial may decline to resume") {
  Scene s(slow());
  get_ticket(s);
  CHECK_FALSE(s.pipe.dial(s.client, s.server, false)->early_data_possible());
}

TEST_CASE("an endpoint without early data neither gives nor keeps tickets") {
  quic::Config off = Pipe::default_config();
  off.early_data = false;
  const bool client_off = GENERATE(true, false);
  quic::Config on = Pipe::default_config();
  Scene s(slow(), {}, {}, client_off ? std::move(off) : std::move(on),
          client_off ? Pipe::default_config() : [] {
            quic::Config c = Pipe::default_config();
            c.early_data = false;
            return c;
          }());
  get_ticket(s);
  CHECK_FALSE(s.pipe.dial(s.client, s.server)->early_data_possible());
  REQUIRE(s.pipe.run_until([&] { return s.up(); }));
}

TEST_CASE("a ticket is of no use for another peer at the same address") {
  Scene s(slow());
  get_ticket(s);
  Peer& other = s.pipe.add(9);
  Connection* c = s.pipe.dial(s.client, s.server, other.key.peer_id(), true);
  CHECK_FALSE(c->early_data_possible());
  REQUIRE(s.pipe.run_until([&] { return s.client.closed.has_value(); }));
  CHECK(s.client.closed->code == Code::kPeerIdMismatch);
}

TEST_CASE("the certificate behind a ticket must still be valid") {
  Scene s(slow());
  get_ticket(s);
  // Not even the wall clock moves here but by virtual time: let a century go by.
  s.pipe.run_for(hours(24 * 366 * 101));
  CHECK_FALSE(s.pipe.dial(s.client, s.server)->early_data_possible());
}
