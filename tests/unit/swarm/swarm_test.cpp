#include "swarm/swarm.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "crypto/rng.hpp"
#include "transport/quic/quic_transport.hpp"

using namespace p2pa;

namespace {

quic::Config config() {
  quic::Config out;
  out.unix_time = 1'700'000'000;
  return out;
}

/// A swarm on an endpoint of its own. Its sockets have the numbers 1, 2, ... and the ports 4001, 4002, ...
struct Host final : swarm::Observer {
  explicit Host(std::uint8_t seed, SocketId sockets = 1)
      : key(KeyPair::from_seed(Bytes(32, seed))), rng(Bytes(32, seed)) {
    ip.bytes = {192, 0, 2, seed};
    for (SocketId socket = 1; socket <= sockets; ++socket) endpoint.add_socket(socket, local(socket), true);
  }
  IpEndpoint local(SocketId socket) const {
    IpEndpoint out;
    out.ip = ip;
    out.port = static_cast<std::uint16_t>(4000 + socket);
    return out;
  }

  void on_connected(Instant, Connection& connection) override { connected.push_back(connection.id()); }
  void on_disconnected(Instant, Connection&, const Error&, bool) override { ++disconnected; }
  void on_path_changed(Instant, Connection&) override {}
  void on_datagram(Instant, Connection&, ByteView) override {}

  KeyPair key;
  Rng rng;
  IpAddress ip;
  resource::Manager resources{Limits{}};
  peerstore::Peerstore store;
  quic::Endpoint endpoint{key, rng, resources, config()};
  quic::QuicTransport transport{endpoint, [](const IpEndpoint&) { return SocketId{1}; }};
  swarm::Swarm swarm{key.peer_id(), {&transport}, resources, store, rng, *this};
  std::vector<ConnectionId> connected;
  int disconnected = 0;
};

/// Hands over all that `from` has to send, at once.
void carry(Instant now, Host& from, Host& to) {
  Bytes buffer(65'536);
  Transmit transmit;
  while (from.endpoint.poll_transmit(now, buffer, {}, transmit)) {
    InboundDatagram datagram;
    datagram.socket = static_cast<SocketId>(transmit.remote.port - 4000);
    datagram.local = transmit.remote;
    datagram.remote = from.local(transmit.socket);
    datagram.segment_size = transmit.segment_size;
    datagram.bytes = ByteView(buffer).first(transmit.size);
    to.endpoint.handle(now, datagram);
  }
}

void work(Instant now, Host& host) {
  while (host.swarm.turn(now)) {
  }
}

}  // namespace

TEST_CASE("of two attempts that are established at one moment one is a connection") {
  Host client(1), server(2, 2);
  Instant now{1'000'000'000};
  for (const SocketId socket : {SocketId{1}, SocketId{2}}) {
    const Multiaddr address = quic_multiaddr(server.local(socket));
    client.store.add_address(server.key.peer_id(), address, peerstore::Peerstore::Source::kHost);
  }
  int done = 0;
  client.swarm.dial(server.key.peer_id(), [&](Instant, Result<Connection*> result, const DialReport&) {
    CHECK(result.has_value());
    ++done;
  });
  work(now, client);
  now = now + swarm::kDialStagger;
  client.swarm.on_deadline(now);
  for (int i = 0; i < 4; ++i) {  // nothing is told to the client's swarm before both are through
    carry(now, client, server);
    carry(now, server, client);
  }
  CHECK(client.endpoint.connections_count() == 2);
  work(now, client);
  CHECK(done == 1);
  CHECK(client.connected.size() == 1);
  CHECK(client.disconnected == 0);
  CHECK(client.swarm.connections().size() == 1);
}

TEST_CASE("a protocol id that multistream cannot carry is refused") {
  Host host(1);
  struct Nobody final : StreamHandler {
    std::vector<Error> failed;
    void on_stream_open(Instant, Stream&) override {}
    void on_stream_failed(Instant, std::uint64_t, const Error& why) override { failed.push_back(why); }
    void on_readable(Instant, Stream&) override {}
    void on_writable(Instant, Stream&) override {}
    void on_stream_closed(Instant, Stream&, const Error&) override {}
  } handler;
  const std::string bad[] = {"", "/a\n/b", std::string("/a\0", 3), "/a\x7f", std::string(1023, 'x')};
  for (const std::string& id : bad) {
    const auto served = host.swarm.serve(id, handler);
    REQUIRE_FALSE(served.has_value());
    CHECK(served.error().code == Code::kInvalidArgument);
    host.swarm.open_stream(KeyPair::from_seed(Bytes(32, 9)).peer_id(), id, handler, 0, {});
  }
  work(Instant{1}, host);
  CHECK(handler.failed.size() == std::size(bad));
  for (const Error& why : handler.failed) CHECK(why.code == Code::kInvalidArgument);
  CHECK(host.swarm.serve(std::string(1022, 'x'), handler).has_value());
  CHECK(host.swarm.serve("/größe/1", handler).has_value());
}
