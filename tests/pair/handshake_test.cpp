#include <catch2/catch.hpp>

#include "pair/pipe.hpp"

using namespace p2pa;
using namespace p2pa::test;
using Kind = ConnectionEvent::Kind;

namespace {

bool both_established(const Peer& a, const Peer& b) {
  return a.connection() != nullptr && b.connection() != nullptr && a.connection()->established() &&
         b.connection()->established();
}

}  // namespace

TEST_CASE("two endpoints prove their identities to each other") {
  Pipe pipe;
  Peer& client = pipe.add(1);
  Peer& server = pipe.add(2);
  Connection* connection = pipe.dial(client, server);
  REQUIRE(connection != nullptr);
  CHECK(connection->peer() == server.key.peer_id());
  CHECK_FALSE(connection->open_stream(false));
  REQUIRE(pipe.run_until([&] { return both_established(client, server); }));
  CHECK(client.connection()->peer() == server.key.peer_id());
  CHECK(server.connection()->peer() == client.key.peer_id());
  CHECK(client.connection()->outbound());
  CHECK_FALSE(server.connection()->outbound());
  CHECK(server.connection()->remote_address() == quic_multiaddr(client.address));
}

TEST_CASE("a stream carries bytes there and back, and ends") {
  Pipe pipe;
  Peer& client = pipe.add(1);
  Peer& server = pipe.add(2);
  server.echo = true;
  pipe.dial(client, server);
  REQUIRE(pipe.run_until([&] { return both_established(client, server); }));
  Connection& c = *client.connection();
  const auto stream = c.open_stream(false);
  REQUIRE(stream);
  CHECK(c.write(*stream, as_bytes("hello")) == 5u);
  c.finish(*stream);
  CHECK_FALSE(c.write(*stream, as_bytes("more")));
  Inbox& inbox = client.inbox(c, *stream);
  REQUIRE(pipe.run_until([&] {
    return inbox.closed && server.inbox(*server.connection(), server.streams.at(0)).closed;
  }));
  CHECK(inbox.text == "hello");
  CHECK(inbox.ended);
}
