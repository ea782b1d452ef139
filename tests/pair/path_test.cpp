#include <set>
#include <utility>

#include "pair/pair.hpp"
#include "transport/quic/packet_size.hpp"

using namespace p2pa;
using namespace p2pa::test;

TEST_CASE("a connection survives a NAT that gives its client another port") {
  Scene s;
  Connection& c = s.connect();
  s.pipe.run_for(seconds(1));
  s.client.address.port = 5555;  // the wire's view; the client itself has no idea
  for (int i = 0; i < 3; ++i) {
    const StreamId stream = s.request(c, "still me");
    REQUIRE(s.pipe.run_until([&] { return s.client.inbox(c, stream).closed; }));
    CHECK(s.client.inbox(c, stream).text == "still me");
  }
  REQUIRE(s.pipe.run_until([&] { return s.server.count(Kind::kPathChanged) == 1; }));
  CHECK(s.served().remote_address() == quic_multiaddr(s.client.address));
  CHECK(s.client.count(Kind::kPathChanged) == 0);
}

TEST_CASE("packets of the client sent from elsewhere do not steal its connection") {
  Scene s;
  Connection& c = s.connect();
  s.pipe.run_for(seconds(1));
  IpEndpoint thief = s.client.address;
  thief.port = 6666;
  // The thief's copy of a packet overtakes the packet itself; but it hears nothing and answers nothing.
  int copies = 0;
  s.pipe.filter = [&](Peer& from, Bytes& bytes) {
    if (&from == &s.client && ++copies <= 1) s.pipe.inject(thief, s.server, bytes);
    return true;
  };
  for (int i = 0; i < 5; ++i) {
    copies = 0;
    const StreamId stream = s.request(c, "mine");
    REQUIRE(s.pipe.run_until([&] { return s.client.inbox(c, stream).closed; }, seconds(20)));
  }
  s.pipe.filter = nullptr;
  s.pipe.run_for(seconds(10));
  CHECK(s.up());
  CHECK(s.served().remote_address() == quic_multiaddr(s.client.address));
}

TEST_CASE("only an authentic packet moves the address that a server answers from") {
  Scene s;
  Connection& c = s.connect();
  s.pipe.run_for(seconds(1));
  IpEndpoint elsewhere = s.server.address;
  elsewhere.ip.bytes[3] = 99;
  // What an onlooker can make of a packet of the client: the address, the connection id, no more.
  bool forged = false;
  s.pipe.filter = [&](Peer& from, Bytes& bytes) {
    if (&from == &s.client && !std::exchange(forged, true)) {
      Bytes copy = bytes;
      copy.back() ^= 1;
      const auto size = copy.size();
      s.server.endpoint.handle(s.pipe.now, {s.server.socket, elsewhere, s.client.address, Ecn::kNone, size, copy});
    }
    return true;
  };
  s.server.sent_from.clear();
  const StreamId stream = s.request(c, "where are you?");
  REQUIRE(s.pipe.run_until([&] { return s.client.inbox(c, stream).closed; }));
  REQUIRE(forged);
  CHECK(s.server.sent_from == std::set{s.server.address});
}

TEST_CASE("packets grow to what the path takes, and no further") {
  Link link;
  link.mtu = GENERATE(std::size_t{1200}, std::size_t{1300}, std::size_t{1420}, std::size_t{1452}, std::size_t{1472});
  Scene s(link);
  s.server.echo = false;
  Connection& c = s.connect();
  s.pipe.run_for(seconds(20));
  const std::size_t mtu = c.stats(s.pipe.now).mtu;
  CHECK(mtu <= link.mtu);
  CHECK(mtu >= 1200);
  if (link.mtu >= 1452) CHECK(mtu >= 1406);
  s.client.trace.clear();
  REQUIRE(c.write(*c.open_stream(false), Bytes(100'000, 'x')));
  REQUIRE(s.pipe.run_until([&] { return !s.server.streams.empty() && s.served_inbox().text.size() == 100'000; }));
  std::size_t largest = 0;
  for (const auto& [at, size] : s.client.trace) largest = std::max(largest, size);
  CHECK(largest == mtu);
}

namespace {

constexpr std::size_t kBulk = 8'000'000;

/// Sends kBulk from client to server, both on one host; answers the sizes of the client's packets.
std::multiset<std::size_t> send_bulk_on_one_host(Scene& s) {
  for (Peer* peer : {&s.client, &s.server}) {
    peer->address.ip = *IpAddress::parse("127.0.0.1");
    peer->address.port = peer == &s.client ? 4002 : 4001;
    peer->endpoint.add_socket(peer->socket, peer->address, true);
  }
  s.server.echo = false;
  Connection& c = s.connect();
  const StreamId stream = *c.open_stream(false);
  const Bytes piece(100'000, 'x');
  std::size_t written = 0;
  REQUIRE(s.pipe.run_until([&] {
    while (written < kBulk) {
      const std::size_t n = *c.write(stream, ByteView(piece).first(std::min(piece.size(), kBulk - written)));
      if (n == 0) break;
      written += n;
    }
    return !s.server.streams.empty() && s.served_inbox().text.size() == kBulk;
  }));
  std::multiset<std::size_t> sizes;
  for (const auto& [at, size] : s.client.trace) sizes.insert(size);
  return sizes;
}

}  // namespace

TEST_CASE("on one host the packets of bulk grow beyond Ethernet's") {
  Link link;
  link.mtu = 65'507;
  Scene s(link);
  const auto sizes = send_bulk_on_one_host(s);
  CHECK(*sizes.rbegin() == quic::PacketSize::kHost);
  CHECK(sizes.count(quic::PacketSize::kHost) * quic::PacketSize::kHost > kBulk / 2);
}

TEST_CASE("where they are lost on one host, bulk goes on with small ones") {
  Scene s;  // as through a forwarder that carries no more than its network does
  const auto sizes = send_bulk_on_one_host(s);
  const auto large = std::distance(sizes.upper_bound(s.pipe.link.mtu), sizes.end());
  CHECK(large >= 1);
  CHECK(large <= quic::PacketSize::kAttemptsMax);
}

TEST_CASE("the same over IPv6") {
  Scene s;
  for (Peer* peer : {&s.client, &s.server}) {
    peer->address.ip.v6 = true;
    peer->address.ip.bytes = {0x20, 0x01, 0x0d, 0xb8};
    peer->address.ip.bytes[15] = peer == &s.client ? 1 : 2;
    peer->endpoint.add_socket(peer->socket, peer->address, true);
  }
  Connection& c = s.connect();
  CHECK(c.remote_address().to_string() == "/ip6/2001:db8::2/udp/4001/quic-v1");
  const StreamId stream = s.request(c, "hello");
  REQUIRE(s.pipe.run_until([&] { return s.client.inbox(c, stream).closed; }));
}

TEST_CASE("congestion marks are echoed and heeded") {
  Scene s;
  s.server.echo = false;
  s.pipe.mark = true;
  Connection& c = s.connect();
  REQUIRE(c.write(*c.open_stream(false), Bytes(2'000'000, 'x')));
  s.pipe.run_for(seconds(1));
  const std::uint64_t marked = c.stats(s.pipe.now).congestion_window;
  Scene t;
  t.server.echo = false;
  Connection& d = t.connect();
  REQUIRE(d.write(*d.open_stream(false), Bytes(2'000'000, 'x')));
  t.pipe.run_for(seconds(1));
  CHECK(marked < d.stats(t.pipe.now).congestion_window);
}
