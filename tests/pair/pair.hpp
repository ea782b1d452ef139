#pragma once
#include <catch2/catch.hpp>

#include <string>

#include "pair/pipe.hpp"

namespace p2pa::test {

using Kind = ConnectionEvent::Kind;

/// The usual scene: a client (seed 1), a server (seed 2) that echoes, and a wire.
struct Scene {
  explicit Scene(Link link = {}, Limits client_limits = {}, Limits server_limits = {},
                 quic::Config client_config = Pipe::default_config(),
                 quic::Config server_config = Pipe::default_config())
      : pipe(link),
        client(pipe.add(1, client_limits, std::move(client_config))),
        server(pipe.add(2, server_limits, std::move(server_config))) {
    server.echo = true;
  }

  bool up() const {
    return client.connection() != nullptr && server.connection() != nullptr &&
           client.connection()->established() && server.connection()->established();
  }
  /// Dials and waits for both ends; the client's connection.
  Connection& connect() {
    REQUIRE(pipe.dial(client, server) != nullptr);
    REQUIRE(pipe.run_until([this] { return up(); }));
    return *client.connection();
  }
  /// Sends a request on a stream of its own.
  StreamId request(Connection& c, std::string_view text, bool replay_safe = false) {
    const auto stream = c.open_stream(replay_safe);
    REQUIRE(stream);
    REQUIRE(c.write(*stream, as_bytes(text)) == text.size());
    c.finish(*stream);
    return *stream;
  }
  Connection& served() { return *server.connection(); }
  /// The server's inbox of the n-th stream that the client opened.
  Inbox& served_inbox(std::size_t n = 0) { return server.inbox(served(), server.streams.at(n)); }

  Pipe pipe;
  Peer& client;
  Peer& server;
};

}  // namespace p2pa::test
