#include "pair/pair.hpp"

using namespace p2pa;
using namespace p2pa::test;

TEST_CASE("two endpoints prove their identities to each other") {
  Scene s;
  Connection* dialed = s.pipe.dial(s.client, s.server);
  REQUIRE(dialed != nullptr);
  CHECK(dialed->peer() == s.server.key.peer_id());
  CHECK_FALSE(dialed->established());
  CHECK_FALSE(dialed->early_data_possible());
  CHECK(dialed->open_stream(true).error().code == Code::kInvalidState);
  REQUIRE(s.pipe.run_until([&] { return s.up(); }));
  CHECK(s.client.connection()->peer() == s.server.key.peer_id());
  CHECK(s.served().peer() == s.client.key.peer_id());
  CHECK(s.client.connection()->outbound());
  CHECK_FALSE(s.served().outbound());
  CHECK(s.served().remote_address() == quic_multiaddr(s.client.address));
  CHECK(s.client.connection()->remote_address() == quic_multiaddr(s.server.address));
}

TEST_CASE("who dials without naming a peer learns whom it met") {
  Scene s;
  Connection* dialed = s.pipe.dial(s.client, s.server, PeerId{}, true);
  REQUIRE(s.pipe.run_until([&] { return s.up(); }));
  CHECK(dialed->peer() == s.server.key.peer_id());
}

TEST_CASE("another identity than the one dialed is refused by the dialer") {
  Scene s;
  Peer& third = s.pipe.add(3);
  s.pipe.dial(s.client, s.server, third.key.peer_id(), true);
  REQUIRE(s.pipe.run_until([&] { return s.client.closed && s.server.closed; }));
  CHECK(s.client.closed->code == Code::kPeerIdMismatch);
  CHECK(s.client.count(Kind::kEstablished) == 0);
  CHECK(s.server.closed->code == Code::kRefused);
  CHECK(s.server.closed->detail == 0x12a);
  CHECK(s.server.count(Kind::kEstablished) == 0);
}

TEST_CASE("a server that refuses the client's certificate is heard of after the client's kEstablished") {
  quic::Config late = Pipe::default_config();
  late.unix_time = 9'000'000'000;  // the client's certificate has expired by this clock
  Scene s({}, {}, {}, Pipe::default_config(), std::move(late));
  // The client sees a certificate that is not valid yet, unless its clock agrees: let it agree.
  quic::Config same = Pipe::default_config();
  same.unix_time = 9'000'000'000 - 50LL * 365 * 86'400;
  Peer& client = s.pipe.add(4, {}, std::move(same));
  s.pipe.dial(client, s.server);
  REQUIRE(s.pipe.run_until([&] { return client.closed.has_value(); }));
  // Its own certificate is still good for the server, the server's is from the future for it.
  CHECK(client.closed->code == Code::kBadCertificate);

  s.pipe.dial(s.server, s.client);
  REQUIRE(s.pipe.run_until([&] { return s.server.closed.has_value(); }));
}

TEST_CASE("the first answer takes two round trips, and a resumed one takes one") {
  Link link;
  link.delay = milliseconds(50);
  Scene s(link);
  const auto first_answer = [&](bool early) {
    const Instant begin = s.pipe.now;
    std::string answer;
    StreamId stream = 0;
    s.client.on_event = [&](Instant, const TransportEvent& e) {
      if (e.event.kind == Kind::kEstablished && !early) stream = s.request(*e.connection, "hi");
      if (e.event.kind == Kind::kReadable) answer = s.client.inbox(*e.connection, e.event.stream).text;
    };
    Connection* c = s.pipe.dial(s.client, s.server);
    if (early) {
      REQUIRE(c->early_data_possible());
      CHECK_FALSE(c->open_stream(false));
      stream = s.request(*c, "hi", true);
    }
    REQUIRE(s.pipe.run_until([&] { return !answer.empty(); }));
    const Duration took = s.pipe.now - begin;
    s.pipe.run_for(milliseconds(500));  // the ticket arrives
    c->close(0, "");
    s.pipe.run_for(milliseconds(500));
    return took;
  };
  CHECK(first_answer(false) == milliseconds(200));
  CHECK(first_answer(true) == milliseconds(100));
}

TEST_CASE("a peer that answers nothing times out") {
  Scene s;
  s.server.silent = true;
  s.pipe.dial(s.client, s.server);
  REQUIRE(s.pipe.run_until([&] { return s.client.closed.has_value(); }));
  CHECK(s.client.closed->code == Code::kTimeout);
  TransportEvent event;
  CHECK_FALSE(s.client.endpoint.poll_event(event));
  CHECK(s.client.endpoint.connections_count() == 0);
}

TEST_CASE("the handshake survives loss") {
  Link link;
  link.loss = 0.3;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Scene s(link);
    s.pipe.dial(s.client, s.server);
    CHECK(s.pipe.run_until([&] { return s.up() || s.client.closed || s.server.closed; }));
    CHECK(s.up());
  }
}

TEST_CASE("under load a server asks for proof of the address first") {
  Limits limits;
  limits.handshakes_max = 2;
  Scene s({}, {}, limits);
  const auto held = s.server.resources.handshake(s.client.address.ip);  // half of the bound is in use
  REQUIRE(held);
  REQUIRE(s.server.resources.under_load(s.client.address.ip));
  std::vector<std::uint8_t> types;
  s.pipe.filter = [&](Peer& from, Bytes& bytes) {
    if (&from == &s.server) types.push_back(bytes[0] & 0xf0);
    return true;
  };
  s.connect();
  CHECK(types.at(0) == 0xf0);  // RFC 9000 §17.2.5: Retry
  CHECK(types.at(1) != 0xf0);
}

TEST_CASE("who only claims an address does not keep its owner out") {
  Scene s;
  Peer& liar = s.pipe.add(77);
  liar.address.ip = s.client.address.ip;
  liar.address.port = 9;
  s.pipe.filter = [&](Peer& from, Bytes&) { return &from != &s.server || s.client.connection() != nullptr; };
  for (std::uint32_t i = 0; i < 2 * Limits{}.handshakes_per_ip_max; ++i) {
    REQUIRE(s.pipe.dial(liar, s.server) != nullptr);
  }
  s.pipe.run_for(milliseconds(100));
  CHECK(s.server.resources.usage().handshakes == Limits{}.handshakes_per_ip_max / 2);
  liar.silent = true;
  s.connect();
}

TEST_CASE("a Retry token from another address is worth nothing") {
  Limits limits;
  limits.handshakes_max = 2;
  Scene s({}, {}, limits);
  const auto held = s.server.resources.handshake(s.client.address.ip);
  Bytes with_token;
  int initials = 0, retries = 0;
  s.pipe.filter = [&](Peer& from, Bytes& bytes) {
    if (&from == &s.server && (bytes[0] & 0xf0) == 0xf0) ++retries;
    if (&from != &s.client || (bytes[0] & 0xf0) != 0xc0) return true;
    if (++initials < 2) return true;
    with_token = bytes;
    return false;
  };
  s.pipe.dial(s.client, s.server);
  REQUIRE(s.pipe.run_until([&] { return !with_token.empty(); }));
  IpEndpoint elsewhere = s.client.address;
  elsewhere.ip.bytes[3] = 77;
  s.pipe.inject(elsewhere, s.server, with_token);
  s.pipe.run_for(milliseconds(1));
  CHECK(retries == 2);
  CHECK(s.server.endpoint.connections_count() == 0);
}

TEST_CASE("over the bound of handshakes a server refuses, and counts") {
  Limits limits;
  limits.handshakes_max = 1;
  Scene s({}, {}, limits);
  const auto held = s.server.resources.handshake(s.client.address.ip);
  REQUIRE(held);
  s.pipe.dial(s.client, s.server);
  REQUIRE(s.pipe.run_until([&] { return s.client.closed.has_value(); }));
  CHECK(s.client.closed->code == Code::kRefused);
  CHECK(s.server.endpoint.connections_count() == 0);
  CHECK(s.server.resources.counters().refused[LimitCounters::kHandshakes] > 0);
}

TEST_CASE("handshake reservations are given back") {
  Scene s;
  s.pipe.dial(s.client, s.server);
  REQUIRE(s.pipe.run_until([&] { return s.server.resources.usage().handshakes == 1; }));
  REQUIRE(s.pipe.run_until([&] { return s.up(); }));
  CHECK(s.server.resources.usage().handshakes == 0);
  CHECK(s.client.resources.usage().handshakes == 0);
}

TEST_CASE("a socket that does not accept answers no handshake") {
  Scene s;
  s.server.endpoint.add_socket(s.server.socket, s.server.address, false);
  s.pipe.dial(s.client, s.server);
  REQUIRE(s.pipe.run_until([&] { return s.client.closed.has_value(); }));
  CHECK(s.client.closed->code == Code::kTimeout);
  CHECK(s.server.packets_sent == 0);
}

TEST_CASE("an unknown version is answered with the one there is") {
  Scene s;
  Bytes packet(1200, 0);
  packet[0] = 0xc0;
  packet[1] = 0xba, packet[2] = 0xba, packet[3] = 0xba, packet[4] = 0xba;
  packet[5] = 8;
  packet[14] = 8;
  s.pipe.inject(s.client.address, s.server, packet);
  Bytes answer;
  s.pipe.filter = [&](Peer&, Bytes& bytes) {
    answer = bytes;
    return false;
  };
  s.pipe.run_for(milliseconds(1));
  REQUIRE(answer.size() > 15);
  CHECK((answer[0] & 0x80) != 0);
  CHECK(Bytes(answer.begin() + 1, answer.begin() + 5) == Bytes{0, 0, 0, 0});

  packet.resize(1199);  // RFC 9000 §6: smaller ones are not worth an answer
  answer.clear();
  s.pipe.inject(s.client.address, s.server, packet);
  s.pipe.run_for(milliseconds(1));
  CHECK(answer.empty());
}

TEST_CASE("dialing needs a socket and an address of its family") {
  Scene s;
  const DialTarget v4{quic_multiaddr(s.server.address), s.server.key.peer_id()};
  CHECK(s.client.endpoint.dial(s.pipe.now, 99, v4).error().code == Code::kInvalidArgument);
  const auto v6 = Multiaddr::parse("/ip6/2001:db8::1/udp/4001/quic-v1");
  REQUIRE(v6);
  CHECK(s.client.endpoint.dial(s.pipe.now, s.client.socket, {*v6, {}}).error().code == Code::kInvalidArgument);
  const auto tcp = Multiaddr::parse("/ip4/192.0.2.2/tcp/4001");
  REQUIRE(tcp);
  CHECK(s.client.endpoint.dial(s.pipe.now, s.client.socket, {*tcp, {}}).error().code == Code::kInvalidArgument);
  CHECK(s.client.endpoint.connections_count() == 0);
}
